"""Public gold for real web pages, transferred to segments.

The gold says what the main text of a page is, in five forms (see ../shared/web/README.md); a
segment needs a label of its own. A segment of 20 letters or more is content if its letters occur
in the gold text. A shorter one is content if it equals a line of the gold and stands near content,
or if it occurs in the gold text and stands between content. Snippets label only the segments that
contain them. The 53 Arabic and mixed pages are labelled line by line with roles.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import polars as pl

import ingest
from ingest._typing import I64, U64, Bools
from ingest.labelling.features import compute_features
from ingest.labelling.network import CONTENT, LISTING, OUTPUTS
from ingest.labelling.titles import find_site_names

UNKNOWN, DROP, KEEP = -1, 0, 1
_LONG = 20  # letters from which a segment can be found in running text
_BATCH = 60  # files read together


class WebPage(NamedTuple):
    """A labelled page.

    Attributes:
        file: its name.
        kind: the form of its gold: snippets, article, text, wcxb or lines.
        site: what decides the fold it belongs to.
        segments: its segments with languages.
        shown: whether the page shows each segment; the page as text has no others.
        words: the words of short segments, one segment after the other, and where each one's end.
        html: features with markup, float16 [segments, columns].
        plain: features of the segments that are shown, as if the page had no markup.
        content: KEEP, DROP or UNKNOWN of each segment.
        roles: role and second role of each segment as indices of OUTPUTS, -1 if unknown.
    """

    file: str
    kind: str
    site: str
    segments: pl.DataFrame
    shown: Bools
    words: tuple[U64, I64]
    html: np.ndarray
    plain: np.ndarray
    content: I64
    roles: I64


def letters(text: str) -> str:
    """The letters and digits of a text, case folded."""
    return re.sub(r"\W+", "", text).casefold()


def unpack(shared: Path, folder: Path) -> None:
    """Unpack the pages of ../shared/web, unless that is done."""
    if not (folder / "wcxb-dev.jsonl").exists():
        subprocess.run([str(shared / "web" / "unpack"), str(folder)], check=True)  # noqa: S603


def fold_of(site: str, folds: int) -> int:
    """The fold that a site belongs to."""
    return int(hashlib.md5(site.encode()).hexdigest(), 16) % folds  # noqa: S324


def load_scorer(shared: Path, name: str) -> ModuleType:
    """Load a scorer of ../shared/web: `score` or `score_lines`."""
    spec = importlib.util.spec_from_file_location(name, shared / "web" / f"{name}.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"{shared}/web/{name}.py: cannot be loaded")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_gold(folder: Path) -> dict[str, dict[str, Any]]:
    """Load the gold of all pages but the Arabic ones, by file name."""
    names = ("public.jsonl", "wcxb-dev.jsonl")
    lines = (line for n in names for line in (folder / n).read_text("utf-8").split("\n"))
    return {gold["file"]: gold for gold in map(json.loads, filter(None, lines))}


def load_web_pages(shared: Path, folder: Path) -> list[WebPage]:
    """Read, segment and label the pages of ../shared/web.

    Args:
        shared: ../shared.
        folder: where its pages are unpacked.
    """
    gold = load_gold(folder)
    paths = [folder / ("wcxb-dev" if g["set"] == "wcxb" else "public") / f for f, g in gold.items()]
    paths += sorted((folder / "arabic" / "pages").iterdir())
    align = load_scorer(shared, "score_lines").align
    pages = []
    for start in range(0, len(paths), _BATCH):
        for page in _read(paths[start : start + _BATCH]):
            file, segments, shown = page.file, page.segments, page.shown
            texts = segments["text"].to_list()
            if file in gold:
                entry = gold[file]
                content, roles = _from_public(texts, entry)
                # the main text of most of these sets has no title
                is_title = segments["block"].str.ends_with("/title").to_numpy()
                content[is_title & (content == DROP)] = UNKNOWN
                kind, site = entry["set"], entry.get("site") or file
            else:
                name = file.rsplit(".", 1)[0]
                rows = (folder / "arabic" / "gold" / f"{name}.jsonl").read_text("utf-8")
                content, roles = _from_lines(
                    texts, [json.loads(row) for row in rows.split("\n") if row], align
                )
                kind, site = "lines", _arabic_site(file)
            content[_hidden_copies(texts, shown, content)] = UNKNOWN
            by_rule = find_site_names(segments)
            content[by_rule], roles[by_rule] = UNKNOWN, UNKNOWN
            pages.append(page._replace(kind=kind, site=site, content=content, roles=roles))
    return pages


def load_unlabelled(folder: Path) -> list[WebPage]:
    """Read the Arabic pages of ../shared/web that have no labels."""
    pages = []
    paths = sorted(path for path in (folder / "arabic-raw").iterdir() if path.suffix == ".html")
    for start in range(0, len(paths), _BATCH):
        for page in _read(paths[start : start + _BATCH]):
            content = np.full(len(page.segments), UNKNOWN)
            pages.append(page._replace(content=content, roles=np.stack([content, content], 1)))
    return pages


def as_text(page: WebPage) -> pl.DataFrame:
    """The segments of a page's text: those that it shows, without markup."""
    return without_markup(page.segments, page.shown)


def without_markup(segments: pl.DataFrame, shown: Bools) -> pl.DataFrame:
    """The segments that are shown, as if the page were plain text."""
    return segments.filter(shown).with_columns(
        pl.lit(None, pl.String).alias("block"),
        pl.lit(None, pl.String).alias("markup"),
        pl.lit(None, pl.Float32).alias("links"),
        pl.lit(None, pl.Boolean).alias("visible"),
    )


def _arabic_site(file: str) -> str:
    """Pages of one template count as one site."""
    pair = re.match(r"(?:sharqforum|salic)", file)
    return re.sub(r"_\d+$", "", file.rsplit(".", 1)[0]) if pair else file


def _hidden_copies(texts: list[str], shown: Bools, content: I64) -> Bools:
    """Which segments are content, but hidden copies of what the page shows."""
    seen = {text for text, is_shown in zip(texts, shown, strict=True) if is_shown}
    copies: Bools = (content == KEEP) & ~shown & np.array([text in seen for text in texts], bool)
    return copies


def _read(paths: Sequence[Path]) -> Iterator[WebPage]:
    """Read pages, in the order of `ingest.read`, without labels."""
    stored = [path if path.exists() else path.with_name(path.name + ".gz") for path in paths]
    documents = ingest.read(stored)
    segments = ingest.detect(ingest.segment(documents))
    shown = segments["visible"].fill_null(value=True).to_numpy()
    features = compute_features(segments)
    html = features.values.astype(np.float16)
    words, ends = features.tokens.of_segments()
    plain = compute_features(without_markup(segments, shown)).values.astype(np.float16)
    sources = dict(documents.select("doc_id", "source").iter_rows())
    start = plain_start = 0
    for (doc_id,), page in segments.group_by("doc_id", maintain_order=True):
        end = start + len(page)
        plain_end = plain_start + int(shown[start:end].sum())
        file = Path(sources[str(doc_id)]).name.removesuffix(".gz")
        yield WebPage(
            file,
            "",
            file,
            page,
            shown[start:end],
            slice_tokens(words, ends, start, end),
            html[start:end],
            plain[plain_start:plain_end],
            np.empty(0, np.int64),
            np.empty((0, 2), np.int64),
        )
        start, plain_start = end, plain_end


def slice_tokens(keys: U64, ends: I64, start: int, end: int) -> tuple[U64, I64]:
    """The tokens of some segments in a row, and where each one's end."""
    first = int(ends[start - 1]) if start else 0
    last = int(ends[end - 1]) if end else 0
    return keys[first:last], ends[start:end] - first


def _from_public(texts: list[str], gold: dict[str, Any]) -> tuple[I64, I64]:
    roles = np.full((len(texts), 2), -1)
    if gold["set"] == "snippets":
        return _from_snippets(texts, gold), roles
    wanted = [gold.get("headline") or "", *gold.get("summary", []), *gold.get("subheadings", [])]
    wanted += [*gold.get("body", []), *gold.get("lines", [])]
    if gold["set"] == "wcxb":
        wanted = [gold.get("main_content", "")]
    lines = {letters(line) for text in wanted for line in text.split("\n")}
    content = transfer(texts, letters(" ".join(wanted)), lines)
    headline = letters(gold.get("headline") or gold.get("title") or "")
    subheadings = {letters(text) for text in gold.get("subheadings", [])}
    for row, text in enumerate(map(letters, texts)):
        if text == headline and len(headline) > 8:
            roles[row, 0], content[row] = OUTPUTS.index("headline"), KEEP
        elif content[row] == KEEP and text in subheadings:
            roles[row, 0] = OUTPUTS.index("subheading")
    return content, roles


def _from_snippets(texts: list[str], gold: dict[str, Any]) -> I64:
    wanted = [x for x in map(letters, gold["with"]) if x]
    unwanted = [x for x in map(letters, gold["without"]) if x]
    content = np.full(len(texts), UNKNOWN)
    for row, text in enumerate(map(letters, texts)):
        good = any(x in text or (len(text) >= _LONG and text in x) for x in wanted)
        bad = any(x in text for x in unwanted)
        if good != bad:
            content[row] = KEEP if good else DROP
    return content


def transfer(texts: Sequence[str], gold: str, lines: set[str]) -> I64:
    """Label segments as content or not, by the letters of the gold text and of its lines.

    >>> text = "A long line of the article, which goes on."
    >>> transfer([text, "Share", "Yes.", text], letters(text), {letters(text)}).tolist()
    [1, 0, 0, 1]
    """
    bare = [letters(text) for text in texts]
    equal, inside = 2, 3  # candidates, decided by their neighbours
    first = np.array([_first_label(text, gold, lines, equal, inside) for text in bare], np.int64)
    content = first.copy()
    for row in np.flatnonzero(first >= equal).tolist():
        above = [first[i] for i in range(row - 1, max(-1, row - 7), -1) if first[i] in (0, 1)][:3]
        below = [first[i] for i in range(row + 1, min(len(first), row + 7)) if first[i] in (0, 1)]
        below = below[:3]
        if first[row] == equal:
            content[row] = KEEP if KEEP in above + below else DROP
        else:
            between = above[:1] == [KEEP] and below[:1] == [KEEP]
            content[row] = KEEP if between else DROP
    return content


def _first_label(text: str, gold: str, lines: set[str], equal: int, inside: int) -> int:
    if not text:
        return UNKNOWN
    if len(text) >= _LONG:
        cut = len(text) > 80 and (text[:80] in gold or text[-60:] in gold)
        return KEEP if cut or text in gold else DROP
    if text in lines and len(text) > 1:
        return equal
    return inside if text in gold else DROP


def _from_lines(texts: list[str], rows: list[dict[str, Any]], align: Any) -> tuple[I64, I64]:
    """The role of the gold line that each segment shares most letters with."""
    content, roles = np.full(len(texts), UNKNOWN), np.full((len(texts), 2), -1)
    best: dict[int, tuple[int, int]] = {}
    matches = align(rows, [{"text": text, "row": row} for row, text in enumerate(texts)])
    for number, segments in matches.items():
        for overlap, segment in segments:
            if overlap > best.get(segment["row"], (0, 0))[0]:
                best[segment["row"]] = (overlap, number)
    for row, (_, number) in best.items():
        for column, key in enumerate(("role", "alt_role")):
            if role := rows[number].get(key):
                roles[row, column] = OUTPUTS.index(role)
    body = np.flatnonzero(roles[:, 0] == OUTPUTS.index("body"))
    if len(body):
        inside = slice(int(body[0]), int(body[-1]))
        roles[inside][roles[inside] == OUTPUTS.index("code")] = LISTING
    known = roles[:, 0] >= 0
    content[known] = CONTENT[roles[known, 0]]
    return content, roles
