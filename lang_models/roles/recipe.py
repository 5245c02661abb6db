"""Rebuild `roles.npz`, the model that tells what each segment of a page is.

    python lang_models/roles/recipe.py              # trains and writes; three minutes on two cores
    python lang_models/roles/recipe.py --folds 5    # cross-validates over the own pages

Needs PyTorch (any 2.x, CPU). Data: the sample pages of this project and their labels,
corpora/gold/scrapes.jsonl, each page seen in many altered forms. Nothing else is trained on.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import Tensor, nn

from ingest.detect import detect
from ingest.frames import KEPT_ROLES, ROLES
from ingest.label.features import features
from ingest.label.network import REACH

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
FURNITURE = ("nav", "credit", "ad", "widget", "code")


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


def to_frame(pages: list[Page]) -> pl.DataFrame:
    """The pages as a segments frame with languages."""
    rows = []
    for number, page in enumerate(pages):
        line = 0
        for segment, x in enumerate(page):
            line += 1 + x.blanks
            rows.append((f"{number:06d}", segment, line, x.text))
    schema = {"doc_id": pl.String, "segment": pl.Int64, "line": pl.Int64, "text": pl.String}
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


def prepared(pages: list[Page], mean: np.ndarray, scale: np.ndarray) -> Prepared:
    """Features of pages, scaled."""
    seen = features(to_frame(pages))
    return Prepared(
        torch.tensor((seen.values - mean) / scale, dtype=torch.float32),
        torch.tensor(targets(pages)),
        torch.tensor(seen.pages.page),
    )


def fit(pages: list[Page], args: argparse.Namespace) -> Trained:
    """Train an ensemble on altered forms of pages."""
    rng = random.Random(1)
    forms = list(pages)
    for page in pages:
        forms += [altered(page, pages, rng) for _ in range(args.forms)]
    described = features(to_frame(forms))
    mean = described.values.mean(axis=0)
    scale = np.maximum(described.values.std(axis=0), 0.05)
    data = prepared(forms, mean, scale)
    nets = [train(data, args.width, args.told, args.epochs, seed) for seed in range(args.seeds)]
    return Trained(described.names, mean, scale, nets)


@dataclass(frozen=True)
class Trained:
    """An ensemble and the scaling of its features."""

    names: list[str]
    mean: np.ndarray
    scale: np.ndarray
    nets: list[Any]

    def roles(self, pages: list[Page]) -> np.ndarray:
        """Number of the likeliest role of each line: int64 [lines]."""
        data = prepared(pages, self.mean, self.scale)
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


def cross_validate(pages: list[Page], args: argparse.Namespace) -> tuple[float, float]:
    """Score each page by a model that has not seen it."""
    found, judged = [], []
    for fold in range(args.folds):
        seen = [p for i, p in enumerate(pages) if i % args.folds != fold]
        rest = [p for i, p in enumerate(pages) if i % args.folds == fold]
        found.append(fit(seen, args).roles(rest))
        judged += rest
    return evaluate(np.concatenate(found), judged)


def main() -> None:
    """Train, score and write the model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared", help="dev pages")
    parser.add_argument("--forms", type=int, default=20, help="altered forms of each page")
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--width", type=int, default=48)
    parser.add_argument("--told", type=int, default=12, help="numbers told to neighbours")
    parser.add_argument("--seeds", type=int, default=2, help="networks in the ensemble")
    parser.add_argument("--folds", type=int, default=0, help="cross-validate; writes nothing")
    args = parser.parse_args()
    torch.use_deterministic_algorithms(mode=True)
    pages = list(load(ROOT / "corpora" / "gold" / "scrapes.jsonl").values())
    if args.folds:
        role, keep = cross_validate(pages, args)
        print(f"{len(pages)} own pages, {args.folds} folds: role {role:.3f}, keep F1 {keep:.3f}")
        return
    trained = fit(pages, args)
    trained.save(HERE / "roles.npz")
    for name in ("seeds", "pages"):
        if (path := args.shared / "gold" / f"{name}.jsonl").exists():
            judged = list(load(path).values())
            role, keep = evaluate(trained.roles(judged), judged)
            print(f"{name}: role {role:.3f}, keep F1 {keep:.3f}")


if __name__ == "__main__":
    main()
