"""Variants of this project's labelled sample pages: as text, and in the markup of themes."""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from ingest.detection import detect
from ingest.readers import html
from ingest.readers.titles import SITE_NAME
from lang_models.roles.render import Line as RenderLine
from lang_models.roles.render import Theme, render

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
Block = tuple[str, str, float, bool]  # DOM path, markup, share in links, whether it is shown


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
    if rng.random() < 0.4:
        lines = _join_menus(lines, rng)
    style = rng.random()
    if style < 0.3:
        lines = [Line(x.text, x.roles, x.article, 0) for x in lines]
    elif style < 0.5:
        lines = [Line(x.text, x.roles, x.article, 1) for x in lines]
    elif style < 0.65:
        lines = [Line(x.text, x.roles, x.article, rng.choice((0, 0, 1, 1, 2))) for x in lines]
    return lines or list(page)


def _join_menus(page: Page, rng: random.Random) -> Page:
    """Put the entries of some menus on one line, as scrapers do that drop the tags of lists."""
    joined: Page = []
    for is_boilerplate, lines in _runs(page):
        entries = [line for line in lines if line.roles[0] == "nav"]
        if is_boilerplate and len(entries) == len(lines) and len(lines) >= 3 and rng.random() < 0.6:
            size = rng.randint(3, 14)
            for start in range(0, len(lines), size):
                part = lines[start : start + size]
                text = rng.choice((" ", " ", " | ", " · ")).join(line.text for line in part)
                joined.append(replace(part[0], text=text, roles=("nav",)))
        else:
            joined += lines
    return joined


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
    """A page as text, or as HTML: then with (block, markup, links, visible) for each line."""

    lines: Page
    blocks: tuple[Block, ...] | None = None


def load_html(folder: Path, gold: Path) -> dict[str, Variant]:
    """Load labelled HTML pages by file name."""
    variants = {}
    for name, page in load_pages(gold).items():
        parsed = html.render((folder / name).read_text(encoding="utf-8"))
        variants[name] = Variant(page, tuple(parsed["blocks"].iter_rows()))
    return variants


def vary_markup(variant: Variant, rng: random.Random) -> Variant:
    """Hash or remove the names in the markup of a page, and leave out some of its boilerplate."""
    assert variant.blocks is not None
    share = rng.choice((1.0, 1.0, 0.8, 0.6))
    keep = [x.roles[0] not in BOILERPLATE or rng.random() < share for x in variant.lines]
    keep = keep if any(keep) else [True] * len(keep)
    blocks = [b for b, kept in zip(variant.blocks, keep, strict=True) if kept]
    chance = rng.random()
    if chance < 0.5:
        name = "" if chance < 0.3 else ".x"
        blocks = [(b[0], _NAMES.sub(name, b[1]), *b[2:]) for b in blocks]
    return Variant([x for x, kept in zip(variant.lines, keep, strict=True) if kept], tuple(blocks))


def render_page(page: Page, theme: Theme, rng: random.Random) -> Variant:
    """Render the page in the markup of a theme, and parse the result like any HTML."""
    rendered = render([RenderLine(x.text, x.roles[0], x.article) for x in page], theme, rng)
    parsed = html.render(rendered)
    # whitespace at the ends of a line does not belong to a segment
    lines = [" ".join(line.split()) for line in parsed["text"].split("\n")]
    blocks = parsed["blocks"].rows()
    for number, (_, markup, *_) in enumerate(blocks[:2]):
        if markup.endswith(SITE_NAME):  # cut off the title, and labelled by rule
            del lines[number], blocks[number]
            page = [replace(page[0], text=lines[0]), *page[1:]]
            break
    if lines != [" ".join(x.text.split()) for x in page]:
        raise ValueError(f"theme {theme.name}: the rendered page parses to different lines")
    return Variant(page, tuple(blocks))


def to_frame(variants: list[Variant]) -> pl.DataFrame:
    """Convert pages to a segments frame with languages."""
    rows = []
    for number, variant in enumerate(variants):
        line = 0
        for segment, x in enumerate(variant.lines):
            line += 1 + (x.blanks if variant.blocks is None else 0)
            block = (None, None, None, None) if variant.blocks is None else variant.blocks[segment]
            rows.append((f"{number:06d}", segment, line, x.text, *block))
    schema = {"doc_id": pl.String, "segment": pl.Int64, "line": pl.Int64, "text": pl.String,
              "block": pl.String, "markup": pl.String, "links": pl.Float32,
              "visible": pl.Boolean}  # fmt: skip
    return detect(pl.DataFrame(rows, schema, orient="row"))


def make_variants(
    pages: list[Variant], styles: list[Theme], rng: random.Random, count: int
) -> list[Variant]:
    """Make `count` variants of each page as text and as many as HTML."""
    texts = [page.lines for page in pages]
    variants: list[Variant] = []
    for text in texts:
        variants += [Variant(vary(text, texts, rng)) for _ in range(count)]
        variants += [
            render_page(vary(text, texts, rng), rng.choice(styles), rng) for _ in range(count)
        ]
    for page in pages:
        if page.blocks is not None:
            variants += [page, *(vary_markup(page, rng) for _ in range(count))]
    return variants
