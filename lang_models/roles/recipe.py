"""Rebuild `roles.npz`, the model that tells what each segment of a page is.

    python -m lang_models.roles.recipe              # trains and writes; some minutes on two cores
    python -m lang_models.roles.recipe --folds 5    # cross-validates over own pages and themes

Needs PyTorch (any 2.x, CPU). Data: the sample pages of this project and their labels,
corpora/gold/scrapes.jsonl, each page seen in many altered forms: as text, and in the markup of the
themes of render.py. Nothing else is trained on.
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
from lang_models.roles.render import Line as Rendered
from lang_models.roles.render import Theme, render, themes

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
FURNITURE = ("nav", "credit", "ad", "widget", "code")
_NAMES = re.compile(r"[#.][^\s\[]+")


@dataclass(frozen=True)
class Line:
    """One line of a page that is not blank, and how many blank lines stand before it."""

    text: str
    roles: tuple[str, ...]
    article: int
    blanks: int


Page = list[Line]


def load(gold: Path) -> dict[str, Page]:
    """Labelled pages by file name."""
    pages: dict[str, Page] = defaultdict(list)
    last: dict[str, int] = defaultdict(int)
    for row in map(json.loads, gold.read_text(encoding="utf-8").splitlines()):
        name, line = row["file"], row["line_no"]
        roles = tuple(filter(None, (row["role"], row.get("alt_role"))))
        blanks = line - last[name] - 1
        pages[name].append(Line(row["text"].strip(), roles, row["article"], blanks))
        last[name] = line
    return dict(pages)


def altered(page: Page, others: list[Page], rng: random.Random) -> Page:
    """The page as another site might have shown it: blank lines, furniture and order changed."""
    made = list(page)
    if rng.random() < 0.5:
        made = _other_furniture(made, others, rng)
    if rng.random() < 0.3:
        made = [x for x in made if x.roles[0] not in FURNITURE or rng.random() < 0.6]
    if rng.random() < 0.2:
        made = [x for x in made if x.roles[0] != "body" or rng.random() < 0.7]
    if rng.random() < 0.15:
        drop = rng.choice(["headline", "subheading", "caption", "byline", "dateline"])
        made = [x for x in made if x.roles[0] != drop]
    if rng.random() < 0.25 and len(made) > 20:
        start, stop = rng.randrange(len(made) // 4), len(made) - rng.randrange(len(made) // 4)
        made = made[start:stop]
    if rng.random() < 0.1:
        made = made + rng.choice(others)
    style = rng.random()
    if style < 0.3:
        made = [Line(x.text, x.roles, x.article, 0) for x in made]
    elif style < 0.5:
        made = [Line(x.text, x.roles, x.article, 1) for x in made]
    elif style < 0.65:
        made = [Line(x.text, x.roles, x.article, rng.choice((0, 0, 1, 1, 2))) for x in made]
    return made or list(page)


def _runs(page: Page) -> list[tuple[bool, Page]]:
    """Consecutive lines, furniture or not."""
    runs: list[tuple[bool, Page]] = []
    for line in page:
        furniture = line.roles[0] in FURNITURE and line.article == 0
        if runs and runs[-1][0] == furniture:
            runs[-1][1].append(line)
        else:
            runs.append((furniture, [line]))
    return runs


def _other_furniture(page: Page, others: list[Page], rng: random.Random) -> Page:
    """Replace, drop or add runs of furniture, taken from the same place of other pages."""
    made: Page = []
    runs = _runs(page)
    for number, (furniture, lines) in enumerate(runs):
        if not furniture or rng.random() < 0.4:
            made += lines
            continue
        donor = _runs(rng.choice(others))
        theirs = [(i / max(len(donor) - 1, 1), d) for i, (f, d) in enumerate(donor) if f]
        if theirs and rng.random() < 0.8:
            place = number / max(len(runs) - 1, 1)
            made += min(theirs, key=lambda t: abs(t[0] - place))[1]
    return made


@dataclass(frozen=True)
class Form:
    """A page as text, or in the markup of a theme: (block, markup, links) of each line."""

    lines: Page
    blocks: tuple[html.Block, ...] | None = None


def load_html(folder: Path, gold: Path) -> dict[str, Form]:
    """Labelled HTML pages by file name."""
    forms = {}
    for name, page in load(gold).items():
        read = html.render((folder / name).read_text(encoding="utf-8"))
        forms[name] = Form(page, tuple(read["blocks"]))
    return forms


def redesigned(form: Form, rng: random.Random) -> Form:
    """The page with names hashed or gone in its markup, and some of its furniture left out."""
    assert form.blocks is not None
    part = rng.choice((1.0, 1.0, 0.8, 0.6))
    keep = [x.roles[0] not in FURNITURE or rng.random() < part for x in form.lines]
    keep = keep if any(keep) else [True] * len(keep)
    blocks = [b for b, kept in zip(form.blocks, keep, strict=True) if kept]
    chance = rng.random()
    if chance < 0.3:
        blocks = [(path, _NAMES.sub("", markup), links) for path, markup, links in blocks]
    elif chance < 0.5:
        blocks = [(path, _NAMES.sub(".x", markup), links) for path, markup, links in blocks]
    return Form([x for x, kept in zip(form.lines, keep, strict=True) if kept], tuple(blocks))


def in_markup(page: Page, theme: Theme, rng: random.Random) -> Form:
    """The page as a site of that theme might serve it, read as any HTML is."""
    rendered = render([Rendered(x.text, x.roles[0], x.article) for x in page], theme, rng)
    read = html.render(rendered)
    # what stands at a line's ends is no part of a segment
    got = [" ".join(line.split()) for line in read["text"].split("\n")]
    if got != [" ".join(x.text.split()) for x in page]:
        raise ValueError(f"theme {theme.name}: the page reads otherwise than it was written")
    return Form(page, tuple(read["blocks"]))


def to_frame(forms: list[Form]) -> pl.DataFrame:
    """The pages as a segments frame with languages."""
    rows = []
    for number, form in enumerate(forms):
        line = 0
        for segment, x in enumerate(form.lines):
            line += 1 + (x.blanks if form.blocks is None else 0)
            where = (None, None, None) if form.blocks is None else form.blocks[segment]
            rows.append((f"{number:06d}", segment, line, x.text, *where))
    schema = {"doc_id": pl.String, "segment": pl.Int64, "line": pl.Int64, "text": pl.String,
              "block": pl.String, "markup": pl.String, "links": pl.Float32}  # fmt: skip
    return detect(pl.DataFrame(rows, schema, orient="row"))


def targets(pages: list[Page]) -> np.ndarray:
    """Probabilities of roles, float32 [lines, roles]: a second label has the lesser share."""
    made = np.zeros((sum(map(len, pages)), len(ROLES)), np.float32)
    for row, x in enumerate(x for page in pages for x in page):
        for role, share in zip(x.roles, (0.65, 0.35) if len(x.roles) > 1 else (1.0,), strict=True):
            made[row, ROLES.index(role)] += share
    return made


class Network(nn.Module):
    """A line's own features, then two convolutions over its neighbours."""

    def __init__(self, columns: int, width: int, told: int) -> None:
        super().__init__()
        self.own = nn.Linear(columns, width)
        self.tell = nn.ModuleList(nn.Linear(width, told) for _ in REACH)
        self.near = nn.ModuleList(
            nn.Linear(width + told * 2 * len(reach), width) for reach in REACH
        )
        self.out = nn.Linear(width, len(ROLES))
        self.noise = nn.Dropout(0.1)
        self.drop = nn.Dropout(0.3)

    def forward(self, x: Tensor, page: Tensor) -> Tensor:
        """X [rows, columns], page [rows] -> logits [rows, roles]."""
        h = torch.relu(self.own(self.noise(x)))
        for tell, layer, reach in zip(self.tell, self.near, REACH, strict=True):
            told = tell(h)
            around = [_shifted(told, page, s) for r in reach for s in (-r, r)]
            h = h + torch.relu(layer(self.drop(torch.cat([h, *around], dim=1))))
        logits: Tensor = self.out(self.drop(h))
        return logits


def _shifted(h: Tensor, page: Tensor, steps: int) -> Tensor:
    moved = torch.roll(h, steps, 0)
    same = torch.roll(page, steps, 0) == page
    edge = torch.arange(len(page))
    inside = (edge >= steps) if steps > 0 else (edge < len(page) + steps)
    return moved * (same & inside).unsqueeze(1)


@dataclass(frozen=True)
class Prepared:
    """Inputs of the network: scaled features, targets and page numbers of all lines."""

    x: Tensor
    y: Tensor
    page: Tensor


def train(data: Prepared, width: int, told: int, epochs: int, seed: int) -> Network:
    """Fit one network with Adam on random groups of whole pages."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = Network(data.x.shape[1], width, told)
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
    """Share of lines with a right role, and F1 of headline + subheading + body."""
    lines = [x for page in pages for x in page]
    right = np.mean([ROLES[r] in x.roles for r, x in zip(role, lines, strict=True)])
    kept = np.array([ROLES[r] in KEPT_ROLES for r in role])
    gold = np.array([x.roles[0] in KEPT_ROLES for x in lines])
    alt = np.array([{r in KEPT_ROLES for r in x.roles} == {True, False} for x in lines])
    gold = np.where(alt, kept, gold)
    return float(right), float(2 * (kept & gold).sum() / max(kept.sum() + gold.sum(), 1))


def prepared(forms: list[Form], seen: Features, mean: np.ndarray, scale: np.ndarray) -> Prepared:
    """Features of pages, scaled."""
    return Prepared(
        torch.from_numpy((seen.values - mean) / scale),
        torch.from_numpy(targets([form.lines for form in forms])),
        torch.from_numpy(seen.pages.page),
    )


def fit(pages: list[Form], styles: list[Theme], args: argparse.Namespace) -> Trained:
    """Train an ensemble on altered forms of pages, as text and in the markup of themes."""
    rng = random.Random(1)
    texts = [form.lines for form in pages]
    forms = [Form(page) for page in texts]
    for page in texts:
        forms += [Form(altered(page, texts, rng)) for _ in range(args.forms)]
        forms += [
            in_markup(altered(page, texts, rng), rng.choice(styles), rng)
            for _ in range(args.rendered)
        ]
    for form in pages:
        if form.blocks is not None:
            forms += [form, *(redesigned(form, rng) for _ in range(args.forms + args.rendered))]
    seen = compute_features(to_frame(forms))
    mean = seen.values.mean(axis=0)
    scale = np.maximum(seen.values.std(axis=0), 0.05)
    data = prepared(forms, seen, mean, scale)
    nets = [train(data, args.width, args.told, args.epochs, seed) for seed in range(args.seeds)]
    return Trained(seen.names, mean, scale, nets)


@dataclass(frozen=True)
class Trained:
    """An ensemble and the scaling of its features."""

    names: list[str]
    mean: np.ndarray
    scale: np.ndarray
    nets: list[Any]

    def roles(self, forms: list[Form]) -> np.ndarray:
        """Number of the likeliest role of each line: int64 [lines]."""
        data = prepared(forms, compute_features(to_frame(forms)), self.mean, self.scale)
        with torch.no_grad():
            chances = [torch.softmax(net(data.x, data.page), dim=1) for net in self.nets]
        best: np.ndarray = torch.stack(chances).mean(dim=0).argmax(dim=1).numpy()
        return best

    def save(self, path: Path) -> None:
        """Write float32 weights, with the scaling folded into the first layer."""
        held: dict[str, np.ndarray] = {
            "names": np.array(self.names),
            "members": np.array(len(self.nets)),
        }
        for m, net in enumerate(self.nets):
            near = [layer for pair in zip(net.tell, net.near, strict=True) for layer in pair]
            for i, layer in enumerate((net.own, *near, net.out)):
                weight = layer.weight.detach().numpy().T.astype(np.float64)
                bias = layer.bias.detach().numpy().astype(np.float64)
                if i == 0:
                    weight = weight / self.scale[:, None]
                    bias = bias - self.mean @ weight
                held[f"{m}.{i}.w"] = weight.astype(np.float32)
                held[f"{m}.{i}.b"] = bias.astype(np.float32)
        np.savez_compressed(path, allow_pickle=False, **held)


def cross_validate(pages: list[Form], args: argparse.Namespace) -> None:
    """Score each page by a model that has seen neither it nor, where it is rendered, its theme."""
    styles = themes()
    found: dict[str, list[np.ndarray]] = {"text": [], "HTML": [], "text rendered": []}
    judged: dict[str, list[Page]] = {kind: [] for kind in found}
    for fold in range(args.folds):
        seen = [p for i, p in enumerate(pages) if i % args.folds != fold]
        rest = [p for i, p in enumerate(pages) if i % args.folds == fold]
        trained = fit(seen, [t for i, t in enumerate(styles) if i % args.folds != fold], args)
        unseen = [t for i, t in enumerate(styles) if i % args.folds == fold]
        rng = random.Random(fold)
        texts = [Form(p.lines) for p in rest if p.blocks is None]
        for kind, forms in {
            "text": texts,
            "HTML": [p for p in rest if p.blocks is not None],
            "text rendered": [in_markup(p.lines, rng.choice(unseen), rng) for p in texts],
        }.items():
            found[kind].append(trained.roles(forms))
            judged[kind] += [form.lines for form in forms]
    for kind, roles in found.items():
        role, keep = evaluate(np.concatenate(roles), judged[kind])
        print(f"{len(judged[kind])} own pages of {kind}, {args.folds} folds: "
              f"role {role:.3f}, keep F1 {keep:.3f}")  # fmt: skip


def main() -> None:
    """Train, score and write the model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", help="dev pages")
    parser.add_argument("--forms", type=int, default=12, help="altered forms of each page as text")
    parser.add_argument("--rendered", type=int, default=16, help="and as HTML")
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--width", type=int, default=48)
    parser.add_argument("--told", type=int, default=12, help="numbers told to neighbours")
    parser.add_argument("--seeds", type=int, default=2, help="networks in the ensemble")
    parser.add_argument("--folds", type=int, default=0, help="cross-validate; writes nothing")
    args = parser.parse_args()
    torch.use_deterministic_algorithms(mode=True)
    gold = ROOT / "corpora" / "gold"
    pages = [Form(page) for page in load(gold / "scrapes.jsonl").values()]
    pages += load_html(ROOT / "corpora" / "html", gold / "html.jsonl").values()
    if args.folds:
        cross_validate(pages, args)
        return
    trained = fit(pages, themes(), args)
    trained.save(HERE / "roles.npz")
    for name in ("seeds", "pages"):
        if (path := args.shared / "gold" / f"{name}.jsonl").exists():
            judged = list(load(path).values())
            role, keep = evaluate(trained.roles([Form(page) for page in judged]), judged)
            print(f"{name}: role {role:.3f}, keep F1 {keep:.3f}")


if __name__ == "__main__":
    main()
