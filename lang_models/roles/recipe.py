"""Rebuild `roles.npz`, the model that predicts the role of each segment of a page.

    python -m lang_models.roles.recipe              # train and write; a few minutes on two cores
    python -m lang_models.roles.recipe --folds 5    # cross-validate over sample pages and themes

Needs PyTorch (any 2.x, CPU). The only training data are this project's sample pages and their
labels, corpora/gold/scrapes.jsonl. Each page is used in many variants: as text, and in the markup
of the themes in themes.toml.
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import Tensor, nn

from ingest.detection import detect
from ingest.frames import KEPT_ROLES, ROLES
from ingest.labelling.features import Features, compute_features
from ingest.labelling.network import REACH
from ingest.readers import html
from lang_models.roles.render import Line as RenderLine
from lang_models.roles.render import Theme, render, themes

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
BOILERPLATE = ("nav", "credit", "ad", "widget", "code")
_NAMES = re.compile(r"[#.][^\s\[]+")


@dataclass(frozen=True)
class Line:
    """A line of a page that is not blank, and the number of blank lines before it."""

    text: str
    roles: tuple[str, ...]
    article: int
    blanks: int


Page = list[Line]


def load_pages(gold: Path) -> dict[str, Page]:
    """Load labelled pages by file name."""
    pages: dict[str, Page] = defaultdict(list)
    last: dict[str, int] = defaultdict(int)
    for row in map(json.loads, gold.read_text(encoding="utf-8").splitlines()):
        name, line = row["file"], row["line_no"]
        roles = tuple(filter(None, (row["role"], row.get("alt_role"))))
        blanks = line - last[name] - 1
        pages[name].append(Line(row["text"].strip(), roles, row["article"], blanks))
        last[name] = line
    return dict(pages)


def vary(page: Page, others: list[Page], rng: random.Random) -> Page:
    """Vary a page as other sites might: in its blank lines, boilerplate, length and parts."""
    lines = list(page)
    if rng.random() < 0.5:
        lines = _replace_boilerplate(lines, others, rng)
    if rng.random() < 0.3:
        lines = [x for x in lines if x.roles[0] not in BOILERPLATE or rng.random() < 0.6]
    if rng.random() < 0.2:
        lines = [x for x in lines if x.roles[0] != "body" or rng.random() < 0.7]
    if rng.random() < 0.15:
        drop = rng.choice(["headline", "subheading", "caption", "byline", "dateline"])
        lines = [x for x in lines if x.roles[0] != drop]
    if rng.random() < 0.25 and len(lines) > 20:
        start, stop = rng.randrange(len(lines) // 4), len(lines) - rng.randrange(len(lines) // 4)
        lines = lines[start:stop]
    if rng.random() < 0.1:
        lines = lines + rng.choice(others)
    style = rng.random()
    if style < 0.3:
        lines = [Line(x.text, x.roles, x.article, 0) for x in lines]
    elif style < 0.5:
        lines = [Line(x.text, x.roles, x.article, 1) for x in lines]
    elif style < 0.65:
        lines = [Line(x.text, x.roles, x.article, rng.choice((0, 0, 1, 1, 2))) for x in lines]
    return lines or list(page)


def _runs(page: Page) -> list[tuple[bool, Page]]:
    """Split a page into runs of boilerplate and of content lines."""
    runs: list[tuple[bool, Page]] = []
    for line in page:
        is_boilerplate = line.roles[0] in BOILERPLATE and line.article == 0
        if runs and runs[-1][0] == is_boilerplate:
            runs[-1][1].append(line)
        else:
            runs.append((is_boilerplate, [line]))
    return runs


def _replace_boilerplate(page: Page, others: list[Page], rng: random.Random) -> Page:
    """Drop some runs of boilerplate, or replace them by those at the same position of others."""
    result: Page = []
    runs = _runs(page)
    for number, (is_boilerplate, lines) in enumerate(runs):
        if not is_boilerplate or rng.random() < 0.4:
            result += lines
            continue
        donor = _runs(rng.choice(others))
        choices = [(i / max(len(donor) - 1, 1), run) for i, (b, run) in enumerate(donor) if b]
        if choices and rng.random() < 0.8:
            position = number / max(len(runs) - 1, 1)
            result += min(choices, key=lambda choice: abs(choice[0] - position))[1]
    return result


@dataclass(frozen=True)
class Variant:
    """A page as text, or as HTML: then with (block, markup, links) for each line."""

    lines: Page
    blocks: tuple[html.Block, ...] | None = None


def load_html(folder: Path, gold: Path) -> dict[str, Variant]:
    """Load labelled HTML pages by file name."""
    variants = {}
    for name, page in load_pages(gold).items():
        parsed = html.render((folder / name).read_text(encoding="utf-8"))
        variants[name] = Variant(page, tuple(parsed["blocks"]))
    return variants


def vary_markup(variant: Variant, rng: random.Random) -> Variant:
    """Hash or remove the names in the markup of a page, and leave out some of its boilerplate."""
    assert variant.blocks is not None
    share = rng.choice((1.0, 1.0, 0.8, 0.6))
    keep = [x.roles[0] not in BOILERPLATE or rng.random() < share for x in variant.lines]
    keep = keep if any(keep) else [True] * len(keep)
    blocks = [b for b, kept in zip(variant.blocks, keep, strict=True) if kept]
    chance = rng.random()
    if chance < 0.3:
        blocks = [(path, _NAMES.sub("", markup), links) for path, markup, links in blocks]
    elif chance < 0.5:
        blocks = [(path, _NAMES.sub(".x", markup), links) for path, markup, links in blocks]
    return Variant([x for x, kept in zip(variant.lines, keep, strict=True) if kept], tuple(blocks))


def render_page(page: Page, theme: Theme, rng: random.Random) -> Variant:
    """Render the page in the markup of a theme, and parse the result like any HTML."""
    rendered = render([RenderLine(x.text, x.roles[0], x.article) for x in page], theme, rng)
    parsed = html.render(rendered)
    # whitespace at the ends of a line does not belong to a segment
    lines = [" ".join(line.split()) for line in parsed["text"].split("\n")]
    if lines != [" ".join(x.text.split()) for x in page]:
        raise ValueError(f"theme {theme.name}: the rendered page parses to different lines")
    return Variant(page, tuple(parsed["blocks"]))


def to_frame(variants: list[Variant]) -> pl.DataFrame:
    """Convert pages to a segments frame with languages."""
    rows = []
    for number, variant in enumerate(variants):
        line = 0
        for segment, x in enumerate(variant.lines):
            line += 1 + (x.blanks if variant.blocks is None else 0)
            block = (None, None, None) if variant.blocks is None else variant.blocks[segment]
            rows.append((f"{number:06d}", segment, line, x.text, *block))
    schema = {"doc_id": pl.String, "segment": pl.Int64, "line": pl.Int64, "text": pl.String,
              "block": pl.String, "markup": pl.String, "links": pl.Float32}  # fmt: skip
    return detect(pl.DataFrame(rows, schema, orient="row"))


def make_targets(pages: list[Page]) -> np.ndarray:
    """Make target probabilities, float32 [lines, roles]; a second label gets the smaller share."""
    targets = np.zeros((sum(map(len, pages)), len(ROLES)), np.float32)
    for row, x in enumerate(x for page in pages for x in page):
        for role, share in zip(x.roles, (0.65, 0.35) if len(x.roles) > 1 else (1.0,), strict=True):
            targets[row, ROLES.index(role)] += share
    return targets


class Network(nn.Module):
    """The network of `ingest.labelling.network`: two convolutions over neighbouring lines."""

    def __init__(self, columns: int, width: int, message: int) -> None:
        super().__init__()
        self.first = nn.Linear(columns, width)
        self.send = nn.ModuleList(nn.Linear(width, message) for _ in REACH)
        self.combine = nn.ModuleList(
            nn.Linear(width + message * 2 * len(reach), width) for reach in REACH
        )
        self.last = nn.Linear(width, len(ROLES))
        self.noise = nn.Dropout(0.1)
        self.drop = nn.Dropout(0.3)

    def forward(self, x: Tensor, page: Tensor) -> Tensor:
        """Compute logits [rows, roles] from features [rows, columns] and page numbers [rows]."""
        h = torch.relu(self.first(self.noise(x)))
        for send, combine, reach in zip(self.send, self.combine, REACH, strict=True):
            message = send(h)
            neighbours = [_shift(message, page, s) for r in reach for s in (-r, r)]
            h = h + torch.relu(combine(self.drop(torch.cat([h, *neighbours], dim=1))))
        logits: Tensor = self.last(self.drop(h))
        return logits


def _shift(h: Tensor, page: Tensor, steps: int) -> Tensor:
    shifted = torch.roll(h, steps, 0)
    same = torch.roll(page, steps, 0) == page
    row = torch.arange(len(page))
    inside = (row >= steps) if steps > 0 else (row < len(page) + steps)
    return shifted * (same & inside).unsqueeze(1)


@dataclass(frozen=True)
class TrainingData:
    """Scaled features, targets and page numbers of all lines."""

    x: Tensor
    y: Tensor
    page: Tensor


def train(data: TrainingData, width: int, message: int, epochs: int, seed: int) -> Network:
    """Train one network with AdamW on random batches of whole pages."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = Network(data.x.shape[1], width, message)
    starts = np.r_[0, np.flatnonzero(np.diff(data.page.numpy())) + 1, len(data.page)]
    per_batch = 24
    steps = epochs * ((len(starts) - 1) // per_batch + 1)
    optimiser = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.03)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    for _ in range(epochs):
        order = rng.permutation(len(starts) - 1)
        for at in range(0, len(order), per_batch):
            rows = torch.from_numpy(
                np.concatenate(
                    [np.arange(starts[p], starts[p + 1]) for p in order[at : at + per_batch]]
                )
            )
            logits = net(data.x[rows], data.page[rows])
            loss: Any = nn.functional.cross_entropy(logits, data.y[rows], label_smoothing=0.05)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return net.eval()


def evaluate(role: np.ndarray, pages: list[Page]) -> tuple[float, float]:
    """Return the accuracy of roles, and the F1 of headline + subheading + body."""
    lines = [x for page in pages for x in page]
    accuracy = np.mean([ROLES[r] in x.roles for r, x in zip(role, lines, strict=True)])
    kept = np.array([ROLES[r] in KEPT_ROLES for r in role])
    gold = np.array([x.roles[0] in KEPT_ROLES for x in lines])
    alt = np.array([{r in KEPT_ROLES for r in x.roles} == {True, False} for x in lines])
    gold = np.where(alt, kept, gold)
    return float(accuracy), float(2 * (kept & gold).sum() / max(kept.sum() + gold.sum(), 1))


def scale_features(
    variants: list[Variant], features: Features, mean: np.ndarray, scale: np.ndarray
) -> TrainingData:
    """Scale the features of pages, and add targets."""
    return TrainingData(
        torch.from_numpy((features.values - mean) / scale),
        torch.from_numpy(make_targets([variant.lines for variant in variants])),
        torch.from_numpy(features.pages.page),
    )


def fit(pages: list[Variant], styles: list[Theme], args: argparse.Namespace) -> Ensemble:
    """Train an ensemble on variants of the pages, as text and in the markup of themes."""
    rng = random.Random(1)
    texts = [page.lines for page in pages]
    variants = [Variant(text) for text in texts]
    for text in texts:
        variants += [Variant(vary(text, texts, rng)) for _ in range(args.forms)]
        variants += [
            render_page(vary(text, texts, rng), rng.choice(styles), rng)
            for _ in range(args.rendered)
        ]
    for page in pages:
        if page.blocks is not None:
            copies = range(args.forms + args.rendered)
            variants += [page, *(vary_markup(page, rng) for _ in copies)]
    features = compute_features(to_frame(variants))
    mean = features.values.mean(axis=0)
    scale = np.maximum(features.values.std(axis=0), 0.05)
    data = scale_features(variants, features, mean, scale)
    nets = [train(data, args.width, args.message, args.epochs, seed) for seed in range(args.seeds)]
    return Ensemble(features.names, mean, scale, nets)


@dataclass(frozen=True)
class Ensemble:
    """Trained networks and the scaling of their features."""

    names: list[str]
    mean: np.ndarray
    scale: np.ndarray
    nets: list[Any]

    def predict(self, variants: list[Variant]) -> np.ndarray:
        """Return the number of the most probable role of each line: int64 [lines]."""
        features = compute_features(to_frame(variants))
        data = scale_features(variants, features, self.mean, self.scale)
        with torch.no_grad():
            probabilities = [torch.softmax(net(data.x, data.page), dim=1) for net in self.nets]
        best: np.ndarray = torch.stack(probabilities).mean(dim=0).argmax(dim=1).numpy()
        return best

    def save(self, path: Path) -> None:
        """Write float32 weights, with the scaling folded into the first layer."""
        arrays: dict[str, np.ndarray] = {
            "names": np.array(self.names),
            "members": np.array(len(self.nets)),
        }
        for m, net in enumerate(self.nets):
            middle = [layer for pair in zip(net.send, net.combine, strict=True) for layer in pair]
            for i, layer in enumerate((net.first, *middle, net.last)):
                weight = layer.weight.detach().numpy().T.astype(np.float64)
                bias = layer.bias.detach().numpy().astype(np.float64)
                if i == 0:
                    weight = weight / self.scale[:, None]
                    bias = bias - self.mean @ weight
                arrays[f"{m}.{i}.w"] = weight.astype(np.float32)
                arrays[f"{m}.{i}.b"] = bias.astype(np.float32)
        np.savez_compressed(path, allow_pickle=False, **arrays)


def cross_validate(pages: list[Variant], args: argparse.Namespace) -> None:
    """Score each page with a model trained without it, and without its theme if it is rendered."""
    styles = themes()
    predicted: dict[str, list[np.ndarray]] = {"text": [], "HTML": [], "text rendered": []}
    gold: dict[str, list[Page]] = {kind: [] for kind in predicted}
    for fold in range(args.folds):
        training = [p for i, p in enumerate(pages) if i % args.folds != fold]
        test = [p for i, p in enumerate(pages) if i % args.folds == fold]
        training_styles = [t for i, t in enumerate(styles) if i % args.folds != fold]
        test_styles = [t for i, t in enumerate(styles) if i % args.folds == fold]
        ensemble = fit(training, training_styles, args)
        rng = random.Random(fold)
        texts = [Variant(p.lines) for p in test if p.blocks is None]
        for kind, variants in {
            "text": texts,
            "HTML": [p for p in test if p.blocks is not None],
            "text rendered": [render_page(p.lines, rng.choice(test_styles), rng) for p in texts],
        }.items():
            predicted[kind].append(ensemble.predict(variants))
            gold[kind] += [variant.lines for variant in variants]
    for kind, roles in predicted.items():
        role, keep = evaluate(np.concatenate(roles), gold[kind])
        print(f"{len(gold[kind])} sample pages of {kind}, {args.folds} folds: "
              f"role {role:.3f}, keep F1 {keep:.3f}")  # fmt: skip


def main() -> None:
    """Train the model, write it and score it on the dev pages."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", help="dev pages")
    parser.add_argument("--forms", type=int, default=12, help="variants of each page as text")
    parser.add_argument("--rendered", type=int, default=16, help="variants of each page as HTML")
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--width", type=int, default=48)
    parser.add_argument("--message", type=int, default=12, help="size of messages between lines")
    parser.add_argument("--seeds", type=int, default=2, help="networks in the ensemble")
    parser.add_argument("--folds", type=int, default=0, help="cross-validate and write nothing")
    args = parser.parse_args()
    torch.use_deterministic_algorithms(mode=True)
    gold = ROOT / "corpora" / "gold"
    pages = [Variant(page) for page in load_pages(gold / "scrapes.jsonl").values()]
    pages += load_html(ROOT / "corpora" / "html", gold / "html.jsonl").values()
    if args.folds:
        cross_validate(pages, args)
        return
    ensemble = fit(pages, themes(), args)
    ensemble.save(HERE / "roles.npz")
    for name in ("seeds", "pages"):
        if (path := args.shared / "gold" / f"{name}.jsonl").exists():
            dev = list(load_pages(path).values())
            role, keep = evaluate(ensemble.predict([Variant(page) for page in dev]), dev)
            print(f"{name}: role {role:.3f}, keep F1 {keep:.3f}")


if __name__ == "__main__":
    main()
