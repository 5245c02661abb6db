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
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from ingest._typing import I64, U64
from ingest.key_table import KeyTable
from ingest.labelling.decision import choose_roles
from ingest.labelling.features import compute_features
from ingest.labelling.markup import table_markup
from ingest.labelling.markup_tokens import markup_tokens
from ingest.labelling.network import CONTENT, LISTING, OUTPUTS
from ingest.roles import KEPT_ROLES
from lang_models.roles.evaluate import HTML, TEXT, print_evaluation
from lang_models.roles.render import themes
from lang_models.roles.teacher import teach
from lang_models.roles.training import Example, Model, train
from lang_models.roles.variants import Variant, load_html, load_pages, make_variants, to_frame
from lang_models.roles.web_gold import (
    WebPage,
    fold_of,
    load_unlabelled,
    load_web_pages,
    slice_tokens,
    unpack,
)

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
_COMMON = 12  # sites on which a markup token or a word must occur to be learned
_COPIES = 8  # variants of each sample page as text, and as many as HTML
_PER_EPOCH = 8  # of these used in each epoch
_LINED = 3  # how often pages that are labelled line by line are used in each epoch
_EARLIER = 2  # networks that the shipped one learns from


class Vocabulary:
    """The markup tokens and the words of short texts that occur on many sites.

    Attributes:
        tokens: the markup tokens.
        words: keys of words; ascending. They are numbered after the tokens.
    """

    def __init__(self, pages: Iterable[WebPage]) -> None:
        sites: dict[str, set[str]] = defaultdict(set)
        words: dict[str, list[U64]] = defaultdict(list)
        for page in pages:
            for tokens in markup_tokens(table_markup(page.segments["markup"])):
                for token in tokens:
                    sites[token].add(page.site)
            words[page.site].append(page.words[0])
        self.tokens = sorted(token for token, where in sites.items() if len(where) >= _COMMON)
        self._numbers = {token: number for number, token in enumerate(self.tokens)}
        of_sites = [np.unique(np.concatenate(keys)) for keys in words.values()]
        keys, count = np.unique(np.concatenate(of_sites), return_counts=True)
        self.words: U64 = keys[count >= _COMMON]

    def __len__(self) -> int:
        return len(self.tokens) + len(self.words)

    def encode_markup(self, markup: pl.Series) -> tuple[np.ndarray, I64]:
        """The tokens of all segments one after the other, and where each segment's end."""
        table = table_markup(markup)
        rows = [
            sorted(self._numbers[token] for token in tokens if token in self._numbers)
            for tokens in markup_tokens(table)
        ]
        rows.append([])  # of text without markup
        ends = np.cumsum([len(rows[row]) for row in table.row_of])
        return np.array([number for row in table.row_of for number in rows[row]], np.int32), ends

    def encode_words(self, words: U64, ends: I64) -> tuple[np.ndarray, I64]:
        """The same for the words of segments."""
        row, known = KeyTable(self.words).find(words)
        before = np.r_[0, np.cumsum(known)]
        return (len(self.tokens) + row[known]).astype(np.int32), before[ends]


def join_tokens(
    first: tuple[np.ndarray, I64], second: tuple[np.ndarray, I64]
) -> tuple[np.ndarray, I64]:
    """Join two kinds of tokens, segment by segment."""
    segment = np.concatenate(
        [np.repeat(np.arange(len(ends)), np.diff(ends, prepend=0)) for _, ends in (first, second)]
    )
    tokens = np.concatenate([first[0], second[0]])
    return tokens[np.argsort(segment, kind="stable")], first[1] + second[1]


def weights(texts: pl.Series, kind: str) -> np.ndarray:
    """The weight of each segment in the loss: long texts count more, and long pages less."""
    if kind == "snippets":
        return np.full(len(texts), 0.5, np.float32)
    by_length = 0.5 + texts.str.len_chars().clip(0, 400).to_numpy() / 100
    share: np.ndarray = by_length / by_length.sum() * np.sqrt(len(texts)) * 3
    return share.astype(np.float32)


def web_forms(page: WebPage, vocabulary: Vocabulary) -> list[Example]:
    """A page with its markup, without its names, and, if it shows any text, as text."""
    words = vocabulary.encode_words(*page.words)
    unnamed = Example(
        page.html,
        *words,
        page.content,
        page.roles,
        weights(page.segments["text"], page.kind),
        teach(page.html.astype(np.float32), np.zeros(len(page.content), np.int64)),
    )
    tokens, ends = join_tokens(vocabulary.encode_markup(page.segments["markup"]), words)
    html = unnamed._replace(tokens=tokens, ends=ends)
    if not page.shown.any():
        return [html, unnamed]
    return [html, html, html, html, unnamed, *[plain_form(page, words)] * 3]


def plain_form(page: WebPage, words: tuple[np.ndarray, I64]) -> Example:
    """A page as text."""
    shown = page.shown
    tokens, ends = words
    size = np.diff(ends, prepend=0)
    return Example(
        page.plain,
        tokens[np.repeat(shown, size)],
        np.cumsum(size[shown]),
        page.content[shown],
        page.roles[shown],
        weights(page.segments["text"].filter(shown), page.kind),
        teach(page.plain.astype(np.float32), np.zeros(int(shown.sum()), np.int64)),
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
    words = features.tokens.of_segments()
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
                *join_tokens(
                    vocabulary.encode_markup(frame["markup"][start:end]),
                    vocabulary.encode_words(*slice_tokens(*words, start, end)),
                ),
                content,
                roles,
                weights(frame["text"][start:end], "lines"),
                np.zeros((end - start, len(OUTPUTS)), np.float32),
            )
        )
        start = end
    return examples


class Material(NamedTuple):
    """What a model is trained on.

    Attributes:
        pages: web pages, each with the forms that `web_forms` makes.
        unlabelled: the forms of pages without labels, which only the last network sees.
        samples: what `sample_groups` makes.
        vocabulary: of all of them.
    """

    pages: list[tuple[WebPage, list[Example]]]
    unlabelled: list[list[Example]]
    samples: list[list[Example]]
    vocabulary: Vocabulary


def load_material(shared: Path, folder: Path) -> Material:
    """Load the material; `folder` is where the pages of ../shared/web are unpacked."""
    pages, unlabelled = load_web_pages(shared, folder), load_unlabelled(folder)
    vocabulary = Vocabulary([*pages, *unlabelled])
    return Material(
        [(page, web_forms(page, vocabulary)) for page in pages],
        [web_forms(page, vocabulary) for page in unlabelled],
        sample_groups(vocabulary),
        vocabulary,
    )


def fit(material: Material, epochs: int) -> Model:
    """Train a few networks, and then one on what they think of the pages without roles.

    Args:
        material: pages with and without labels.
        epochs: passes over the pages.
    """
    lined = [forms for page, forms in material.pages if page.kind == "lines"]
    others = [forms for page, forms in material.pages if page.kind != "lines"]
    with_roles, tokens = [*lined * _LINED, *material.samples], len(material.vocabulary)
    earlier = [
        train([*others, *with_roles], tokens, epochs=epochs, seed=seed) for seed in range(_EARLIER)
    ]
    without_roles = [*others, *material.unlabelled]
    every = {id(example): example for forms in without_roles for example in forms}
    thought = [model.predict(list(every.values())) for model in earlier]
    softened = {
        key: example._replace(soft=np.mean(soft, axis=0).astype(np.float16))
        for (key, example), *soft in zip(every.items(), *thought, strict=True)
    }
    taught = [[softened[id(example)] for example in forms] for forms in without_roles]
    return train([*taught, *with_roles], tokens, epochs=epochs, seed=_EARLIER)


def cross_validate(material: Material, folds: int, epochs: int) -> dict[str, dict[str, np.ndarray]]:
    """Predict each page by a model that has not seen its site.

    Returns:
        By form of the pages and file, the probability of each of OUTPUTS.
    """
    predicted: dict[str, dict[str, np.ndarray]] = {HTML: {}, TEXT: {}}
    for fold in range(folds):
        training = [pair for pair in material.pages if fold_of(pair[0].site, folds) != fold]
        model = fit(material._replace(pages=training), epochs)
        test = [pair for pair in material.pages if fold_of(pair[0].site, folds) == fold]
        with_text = [(page, forms) for page, forms in test if page.shown.any()]
        for form, these, which in ((HTML, test, 0), (TEXT, with_text, -1)):
            probabilities = model.predict([forms[which] for _, forms in these])
            pairs = zip(these, probabilities, strict=True)
            predicted[form] |= {page.file: values for (page, _), values in pairs}
    return predicted


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
    material = load_material(args.shared, args.pages)
    vocabulary = material.vocabulary
    if args.folds:
        predicted = cross_validate(material, args.folds, args.epochs)
        print_evaluation([page for page, _ in material.pages], predicted, args.shared, args.pages)
        return
    model = fit(material, args.epochs)
    model.save(HERE / "roles.npz", feature_names(), vocabulary.tokens, vocabulary.words)
    for name in ("seeds", "pages"):
        print(name, evaluate_text(model, vocabulary, args.shared / "gold" / f"{name}.jsonl"))


def feature_names() -> list[str]:
    """The names of the features."""
    line = Variant(next(iter(load_pages(ROOT / "corpora/gold/scrapes.jsonl").values())))
    return compute_features(to_frame([line])).names


if __name__ == "__main__":
    main()
