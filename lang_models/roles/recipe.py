"""Rebuild `roles.npz`, the model that predicts the role of each segment of a page.

    python -m lang_models.roles.recipe              # train and write
    python -m lang_models.roles.recipe --folds 3    # cross-validate by site, beside trafilatura

Needs PyTorch (any 2.x, CPU) and ../shared; `--folds` needs trafilatura too. The training data are
real web pages with public gold (../shared/web), with and without their markup, and this project's
sample pages as text and in the markup of the themes in themes.toml.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import polars as pl

from ingest.labelling.decision import choose_roles
from ingest.labelling.features import compute_features
from ingest.labelling.markup_tokens import markup_tokens
from ingest.labelling.network import CONTENT, LISTING, OUTPUTS
from ingest.roles import KEPT_ROLES
from lang_models.roles.evaluate import HTML, TEXT, print_evaluation
from lang_models.roles.render import themes
from lang_models.roles.teacher import teach
from lang_models.roles.training import Example, Model, train
from lang_models.roles.variants import Variant, load_html, load_pages, make_variants, to_frame
from lang_models.roles.web_gold import WebPage, fold_of, load_web_pages, unpack

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
_COMMON = 12  # sites on which a markup token must occur to be learned
_COPIES = 8  # variants of each sample page as text, and as many as HTML
_PER_EPOCH = 4  # of these used in each epoch


class Vocabulary:
    """Markup tokens that occur on many sites, and their numbers."""

    def __init__(self, pages: Iterable[WebPage]) -> None:
        sites: dict[str, set[str]] = defaultdict(set)
        self._cache: dict[str, set[str]] = {}
        for page in pages:
            for markup in page.segments["markup"].unique().drop_nulls():
                for token in self._tokens(markup):
                    sites[token].add(page.site)
        self.tokens = sorted(token for token, where in sites.items() if len(where) >= _COMMON)
        self._numbers = {token: number for number, token in enumerate(self.tokens)}

    def _tokens(self, markup: str) -> set[str]:
        if markup not in self._cache:
            self._cache[markup] = markup_tokens(markup)
        return self._cache[markup]

    def encode(self, markup: pl.Series) -> tuple[np.ndarray, np.ndarray]:
        """The tokens of all segments one after the other, and where each segment's end."""
        rows = [
            sorted(self._numbers[t] for t in self._tokens(m) if t in self._numbers) if m else []
            for m in markup
        ]
        ends = np.cumsum([len(row) for row in rows])
        return np.array([number for row in rows for number in row], np.int32), ends


def weights(texts: pl.Series, kind: str) -> np.ndarray:
    """The weight of each segment in the loss: long texts count more, and long pages less."""
    if kind == "snippets":
        return np.full(len(texts), 0.5, np.float32)
    by_length = 0.5 + texts.str.len_chars().clip(0, 400).to_numpy() / 100
    share: np.ndarray = by_length / by_length.sum() * np.sqrt(len(texts)) * 3
    return share.astype(np.float32)


def web_forms(page: WebPage, vocabulary: Vocabulary) -> list[Example]:
    """A page with its markup, without its names, and, if it shows any text, as text."""
    count = len(page.content)
    tokens, ends = vocabulary.encode(page.segments["markup"])
    none = np.empty(0, np.int32), np.zeros(count, np.int64)
    weight = weights(page.segments["text"], page.kind)
    doc_id = np.zeros(count, np.int64)
    teacher = teach(page.html.astype(np.float32), doc_id)
    html = Example(page.html, tokens, ends, page.content, page.roles, weight, teacher)
    unnamed = html._replace(tokens=none[0], ends=none[1])
    if not page.shown.any():
        return [html, unnamed]
    return [html, html, html, html, unnamed, *[plain_form(page)] * 3]


def plain_form(page: WebPage) -> Example:
    """A page as text."""
    shown = page.shown
    count = int(shown.sum())
    return Example(
        page.plain,
        np.empty(0, np.int32),
        np.zeros(count, np.int64),
        page.content[shown],
        page.roles[shown],
        weights(page.segments["text"].filter(shown), page.kind),
        teach(page.plain.astype(np.float32), np.zeros(count, np.int64)),
    )


def sample_groups(vocabulary: Vocabulary) -> list[list[Example]]:
    """The project's own pages in many variants, in groups of which one is used in each epoch."""
    gold = ROOT / "corpora" / "gold"
    pages = [Variant(page) for page in load_pages(gold / "scrapes.jsonl").values()]
    pages += load_html(ROOT / "corpora" / "html", gold / "html.jsonl").values()
    variants = make_variants(pages, themes(), random.Random(1), _COPIES)
    examples = variant_examples(variants, vocabulary)
    groups = max(1, len(pages) * _PER_EPOCH)
    return [examples[at::groups] for at in range(min(groups, len(examples)))]


def variant_examples(variants: list[Variant], vocabulary: Vocabulary) -> list[Example]:
    """Labelled variants of pages as examples."""
    frame = to_frame(variants)
    features = compute_features(frame)
    examples, start = [], 0
    for variant in variants:
        end = start + len(variant.lines)
        roles = np.full((end - start, 2), -1)
        for row, line in enumerate(variant.lines):
            for column, role in enumerate(line.roles[:2]):
                is_listing = role == "code" and line.article > 0
                roles[row, column] = LISTING if is_listing else OUTPUTS.index(role)
        content = CONTENT[roles[:, 0]].astype(np.int64)
        examples.append(
            Example(
                features.values[start:end].astype(np.float16),
                *vocabulary.encode(frame["markup"][start:end]),
                content,
                roles,
                weights(frame["text"][start:end], "lines"),
                np.zeros((end - start, len(OUTPUTS)), np.float32),
            )
        )
        start = end
    return examples


def fit(
    pages: Sequence[tuple[WebPage, list[Example]]],
    samples: list[list[Example]],
    tokens: int,
    epochs: int,
) -> Model:
    """Train the network.

    Args:
        pages: web pages, each with the forms that `web_forms` makes.
        samples: what `sample_groups` makes.
        tokens: size of the vocabulary.
        epochs: passes over the pages.
    """
    lined = [forms for page, forms in pages if page.kind == "lines"]
    others = [forms for page, forms in pages if page.kind != "lines"]
    return train([*others, *lined, *lined, *samples], tokens, epochs=epochs)


def cross_validate(
    pages: Sequence[WebPage], shared: Path, folder: Path, folds: int, epochs: int
) -> None:
    """Score each page by a model that has not seen its site, and print it beside trafilatura."""
    vocabulary = Vocabulary(pages)
    samples = sample_groups(vocabulary)
    forms = [(page, web_forms(page, vocabulary)) for page in pages]
    predicted: dict[str, dict[str, np.ndarray]] = {HTML: {}, TEXT: {}}
    for fold in range(folds):
        training = [(page, f) for page, f in forms if fold_of(page.site, folds) != fold]
        model = fit(training, samples, len(vocabulary.tokens), epochs)
        test = [(page, f) for page, f in forms if fold_of(page.site, folds) == fold]
        with_text = [(page, f) for page, f in test if page.shown.any()]
        for form, these, which in ((HTML, test, 0), (TEXT, with_text, -1)):
            probabilities = model.predict([f[which] for _, f in these])
            pairs = zip(these, probabilities, strict=True)
            predicted[form] |= {page.file: values for (page, _), values in pairs}
    print_evaluation(pages, predicted, shared, folder)


def evaluate_text(model: Model, vocabulary: Vocabulary, gold: Path) -> str:
    """Role accuracy and keep F1 of labelled pages of text."""
    examples = variant_examples([Variant(page) for page in load_pages(gold).values()], vocabulary)
    chosen = np.concatenate([choose_roles(p.astype(np.float64)) for p in model.predict(examples)])
    names = np.array([*OUTPUTS, ""])
    role, wanted_role = (
        names[chosen],
        names[np.concatenate([example.roles for example in examples])],
    )
    right = (role == wanted_role[:, 0]) | (role == wanted_role[:, 1])
    kept, wanted = np.isin(role, KEPT_ROLES), np.isin(wanted_role[:, 0], KEPT_ROLES)
    debatable = (wanted_role[:, 1] != "") & (wanted != np.isin(wanted_role[:, 1], KEPT_ROLES))
    wanted = np.where(debatable, kept, wanted)
    f1 = 2 * (kept & wanted).sum() / max(kept.sum() + wanted.sum(), 1)
    return f"role {right.mean():.3f}, keep F1 {f1:.3f}"


def main() -> None:
    """Train the model and write it, or cross-validate."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=ROOT.parent / "shared")
    parser.add_argument("--pages", type=Path, default=Path("/tmp/ingest-web"),  # noqa: S108
                        help="folder to unpack ../shared/web to")  # fmt: skip
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--folds", type=int, default=0, help="cross-validate and write nothing")
    args = parser.parse_args()
    unpack(args.shared, args.pages)
    pages = load_web_pages(args.shared, args.pages)
    if args.folds:
        cross_validate(pages, args.shared, args.pages, args.folds, args.epochs)
        return
    vocabulary = Vocabulary(pages)
    forms = [(page, web_forms(page, vocabulary)) for page in pages]
    model = fit(forms, sample_groups(vocabulary), len(vocabulary.tokens), args.epochs)
    model.save(HERE / "roles.npz", feature_names(), vocabulary.tokens)
    for name in ("seeds", "pages"):
        print(name, evaluate_text(model, vocabulary, args.shared / "gold" / f"{name}.jsonl"))


def feature_names() -> list[str]:
    """The names of the features."""
    line = Variant(next(iter(load_pages(ROOT / "corpora/gold/scrapes.jsonl").values())))
    return compute_features(to_frame([line])).names


if __name__ == "__main__":
    main()
