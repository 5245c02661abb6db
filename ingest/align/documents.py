"""Which page of one language is the translation of which page of the other, and which of none.

What is paired is the unit: the text of an article in one language, so that an Arabic and an
English body on one page can go together like two pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import numpy as np
import polars as pl

from ingest.align.candidates import (
    FIRST,
    WEIGHTS,
    Addresses,
    Units,
    candidates,
    one_to_one,
    packed,
    scores,
)
from ingest.align.encoder import Encoder
from ingest.align.words import words
from ingest.config import AlignConfig
from ingest.errors import ConfigError, FrameError, SourceError
from ingest.frames import DETECTED, DOCUMENTS, LABELLED, SEGMENTS, Column, schema
from ingest.places import placed, refuse

EVIDENCE = ("cosine", *(name for name in WEIGHTS if name != "bias"))
PAGES: tuple[Column, ...] = (
    Column("source_doc", pl.String(), "page of the source; null where the target has no partner"),
    Column("target_doc", pl.String(), "page of the target; null where the source has no partner"),
    Column("source_article", pl.Int64(), "article of that page, as in segments"),
    Column("target_article", pl.Int64(), "the same of the target"),
    Column("source_lang", pl.String(), "language of the source"),
    Column("target_lang", pl.String(), "language of the target"),
    Column("score", pl.Float32(), "probability that they are translations; null: no partner"),
    *(Column(name, pl.Float32(), "evidence, as `candidates` says") for name in EVIDENCE),
)

LEAST = 0.5  # a pair that scores less is none
_DOCUMENT_COLUMNS = ("doc_id", "url", "canonical_url", "alternates", "metadata")
_SEGMENT_COLUMNS = ("doc_id", "segment", "text", "lang", "article", "keep")
_SHARE = 0.2  # share of an article's characters that makes its text in a language a unit
_PAGES, _ROWS = 1 << 12, 1 << 16  # documents and segments read at a time
_LANGUAGE = re.compile(r"(?:ar|ara|arabic|en|eng|english)(?:[-_][a-z]{2,4})?")
_SUFFIX = re.compile(r"[._-](?:ar|ara|arabic|en|eng|english)(?=\.[a-z]+$|$)")
_QUERY = {"lang", "language", "locale", "hl", "l", "lng"}
_HOSTS = {"www", "m", "mobile"}
_DAY = re.compile(
    r'"(?:article:published_time|datePublished|date|dc\.date(?:\.issued)?)":\s*"'
    r"(\d{4})-(\d{2})-(\d{2})"
)
_DAY_OF_PATH = re.compile(r"/((?:19|20)\d\d)[/-](\d{1,2})[/-](\d{1,2})(?:/|-|$)")


class Report(NamedTuple):
    """What `pair_run` did: units a language, pairs among them, and units without a partner."""

    units: dict[str, int]
    pairs: int
    none: int

    def __str__(self) -> str:
        sides = ", ".join(f"{count:,} {lang}" for lang, count in self.units.items())
        return f"{sides}: {self.pairs:,} pairs, {self.none:,} without a partner"


def pair_pages(
    documents: pl.DataFrame,
    segments: pl.DataFrame,
    *,
    config: AlignConfig | None = None,
    min_score: float = LEAST,
) -> pl.DataFrame:
    """Find the pages, or articles of pages, that are translations of one another.

    Args:
        documents: doc_id, url, canonical_url, alternates and metadata of a documents frame.
        segments: doc_id, segment, text, lang, article and keep of a labelled segments frame; kept
            segments of two languages count.
        config: `langs` of source and target, ("ar", "en") where empty; `encoder`.
        min_score: the least score of a pair.

    Returns:
        A frame with the columns PAGES, sorted by them: every unit in one row, with its partner or
        with nulls. The order of pages in the frames changes nothing.

    Raises:
        FrameError: a column is missing or of another type.
        ConfigError: both languages are the same, or `min_score` is not in 0…1.
        ModelError: the encoder is missing or damaged.

    >>> types = schema(DOCUMENTS), schema(SEGMENTS, DETECTED, LABELLED)
    >>> pair_pages(*map(pl.DataFrame, ({}, {}), types)).is_empty()
    True
    """
    config = config or AlignConfig()
    _check(documents, _DOCUMENT_COLUMNS, schema(DOCUMENTS))
    _check(segments, _SEGMENT_COLUMNS, schema(SEGMENTS, DETECTED, LABELLED))
    kept = segments.select(_SEGMENT_COLUMNS).filter("keep").sort("doc_id", "segment")
    return _paired(_addresses([documents]), [kept], config, min_score)[0]


def pair_run(
    out: str | Path,
    to: str | Path | None = None,
    *,
    config: AlignConfig | None = None,
    min_score: float = LEAST,
    overwrite: bool = False,
) -> Report:
    """Pair the pages of a run, and write the frame of `pair_pages` to a Parquet file.

    Text is read a row group at a time. What is held of a unit is some 10 kB: its vector, those of
    its first segments in a byte a number, and its numbers and Latin words as hashes.

    Args:
        out: folder that `ingest run` made.
        to: file to write; pages.parquet in `out` where None.
        config: as in `pair_pages`.
        min_score: as there.
        overwrite: replace `to`.

    Raises:
        SourceError: `out` is not the folder of a run, or its files cannot be read.
        FrameError: they lack a column.
        ConfigError: as in `pair_pages`.
        OutputError: `to` exists, or is an input.
        WriteError: it could not be written, or the folder it is to stand in is not there.
    """
    config = config or AlignConfig()
    folder = Path(out)
    target = Path(to) if to is not None else folder / "pages.parquet"
    paths = [folder / name for name in ("documents.parquet", "segments.parquet")]
    for path in paths:
        if not path.is_file():
            raise SourceError(f"{out}: no {path.name} in it; name a folder that ingest run made")
    refuse(target, overwrite=overwrite, inputs=paths)
    try:
        scans = [pl.scan_parquet(path) for path in paths]
        _check(scans[0], _DOCUMENT_COLUMNS, schema(DOCUMENTS))
        _check(scans[1], _SEGMENT_COLUMNS, schema(SEGMENTS, DETECTED, LABELLED))
        addresses = _addresses(_batches(scans[0], _DOCUMENT_COLUMNS, _PAGES))
        segments = (b.filter("keep") for b in _batches(scans[1], _SEGMENT_COLUMNS, _ROWS))
        made, units = _paired(addresses, _whole(segments), config, min_score)
    except (pl.exceptions.ComputeError, OSError) as error:
        raise SourceError(f"{out}: {error}") from error
    with placed(target) as work:
        made.write_parquet(work)
    pairs = made["score"].count()
    return Report(units, pairs, len(made) - pairs)


def _check(frame: pl.DataFrame | pl.LazyFrame, names: Iterable[str], types: pl.Schema) -> None:
    found = frame.collect_schema()
    for name in names:
        if name not in found:
            raise FrameError(f"pair: column {name!r} is missing; ingest run makes it")
        if found[name] != types[name]:
            raise FrameError(f"pair: column {name!r} is {found[name]}, must be {types[name]}")


def _batches(scan: pl.LazyFrame, columns: Sequence[str], rows: int) -> Iterator[pl.DataFrame]:
    """A Parquet file, so many rows at a time."""
    for at in range(0, scan.select(pl.len()).collect().item(), rows):
        yield scan.slice(at, rows).select(columns).collect()


def _whole(batches: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
    """The same rows in batches that end where a page does."""
    rest: pl.DataFrame | None = None
    for batch in batches:
        both = pl.concat([rest, batch]) if rest is not None else batch
        if both.is_empty():
            continue
        last = both["doc_id"] == both["doc_id"][-1]
        rest = both.filter(last)
        yield both.filter(~last)
    if rest is not None:
        yield rest


def _paired(
    addresses: Addresses, batches: Iterable[pl.DataFrame], config: AlignConfig, min_score: float
) -> tuple[pl.DataFrame, dict[str, int]]:
    """The frame of pages, and how many units each language has."""
    langs = config.langs or ("ar", "en")
    if langs[0] == langs[1]:
        raise ConfigError(f"pair: source and target are both {langs[0]!r}")
    if not 0 <= min_score <= 1:
        raise ConfigError(f"pair: least score {min_score} is not in [0, 1]")
    source, target = _units(batches, langs, Encoder.load(config.encoder or None))
    looked = candidates(source, target, addresses)
    looked = looked.with_columns(score=scores(looked))
    good = looked.filter(pl.col("score") >= min_score)
    chosen = one_to_one(good.select("s", "t", "score").iter_rows())
    types = {"s": pl.UInt32, "t": pl.UInt32, "score": pl.Float32}
    found = pl.DataFrame(chosen, types, orient="row")
    found = found.join(looked.drop("score"), on=["s", "t"], how="left", maintain_order="left")
    for key, side, units in (("s", "source", source), ("t", "target", target)):
        names = units.keys.select(
            pl.col("doc_id").alias(f"{side}_doc"), pl.col("article").alias(f"{side}_article")
        )
        found = found.join(names.with_row_index(key), on=key, how="full", coalesce=True)
    made = found.with_columns(source_lang=pl.lit(langs[0]), target_lang=pl.lit(langs[1]))
    order = ["source_doc", "source_article", "target_doc", "target_article"]
    made = made.select(schema(PAGES).names()).sort(order, nulls_last=True)
    return made, {langs[0]: len(source.keys), langs[1]: len(target.keys)}


def _units(
    batches: Iterable[pl.DataFrame], langs: tuple[str, ...], encoder: Encoder
) -> tuple[Units, Units]:
    """The units of both languages."""
    made: dict[str, list[Units]] = {lang: [] for lang in langs}
    for batch in batches:
        for lang, rows in _of_languages(batch, langs):
            made[lang].append(_some_units(rows, encoder))
    source, target = (_joined(made[lang], encoder.dim) for lang in langs)
    return source, target


def _of_languages(kept: pl.DataFrame, langs: tuple[str, ...]) -> Iterator[tuple[str, pl.DataFrame]]:
    """Of each language the segments of its units, with chars, those of a unit together."""
    unit = ["doc_id", "article", "lang"]
    sized = kept.with_columns(chars=pl.col("text").str.len_chars().cast(pl.Int64))
    share = pl.col("chars").sum().over(unit) / pl.col("chars").sum().over("doc_id", "article")
    sized = sized.filter(share >= _SHARE)
    for lang in langs:
        rows = sized.filter(pl.col("lang") == lang).sort("doc_id", "article", "segment")
        if len(rows):
            yield lang, rows


def _some_units(rows: pl.DataFrame, encoder: Encoder) -> Units:
    """The units of some segments.

    The vector is the sum of those of the segments, each of the length log(1 + its characters): a
    long paragraph tells more than a short one, but not in proportion.
    """
    keys = rows.group_by("doc_id", "article", maintain_order=True).agg(
        chars=pl.col("chars").sum(), rows=pl.len()
    )
    each = encoder.encode(rows["text"])
    weights = np.log1p(rows["chars"].to_numpy()).astype(np.float32)
    many = keys["rows"].to_numpy().astype(np.int64)
    starts = many.cumsum() - many
    sums = np.add.reduceat(each * weights[:, None], starts, axis=0)
    length = np.sqrt(np.einsum("ij,ij->i", sums, sums))
    sums /= np.maximum(length, 1e-9)[:, None]
    unit = np.repeat(np.arange(len(keys), dtype=np.uint32), many)
    place = np.arange(len(rows)) - starts[unit]
    lead = place < FIRST
    first = np.zeros((len(keys), FIRST, encoder.dim), np.int8)
    first[unit[lead], place[lead]] = packed(each[lead])
    counts = np.zeros((len(keys), FIRST), np.float32)
    counts[unit[lead], place[lead]] = weights[lead]
    return Units(keys.drop("rows"), sums, _tokens(rows["text"], unit), first, counts)


def _tokens(texts: pl.Series, unit: np.typing.NDArray[np.uint32]) -> pl.DataFrame:
    """Numbers of two digits or more, and Latin words of three letters or more, once a unit."""
    listed = pl.DataFrame({"unit": unit, "word": words(texts)}).explode("word")
    number = pl.col("word").str.contains(r"^\d{2,}$")
    name = pl.col("word").str.contains(r"^\p{Latin}{3,}$")
    return (
        listed.filter(number | name)
        .select("unit", token=pl.col("word").hash(), number=number)
        .unique()
        .sort("unit", "token")
    )


def _joined(parts: list[Units], dim: int) -> Units:
    """All units of a language, sorted by page and article."""
    keys = {"doc_id": pl.String, "article": pl.Int64, "chars": pl.Int64}
    tokens = {"unit": pl.UInt32, "token": pl.UInt64, "number": pl.Boolean}
    if not parts:
        none = np.zeros((0, dim), np.float32)
        first = np.zeros((0, FIRST, dim), np.int8)
        return Units(pl.DataFrame(schema=keys), none, pl.DataFrame(schema=tokens), first,
                     np.zeros((0, FIRST), np.float32))  # fmt: skip
    starts = np.cumsum([0, *(len(part.keys) for part in parts)])
    moved = [
        part.tokens.with_columns(pl.col("unit") + int(start))
        for part, start in zip(parts, starts, strict=False)
    ]
    whole = pl.concat([part.keys for part in parts]).with_row_index("old")
    whole = whole.sort("doc_id", "article")
    order = whole["old"].to_numpy()
    place = np.empty(len(order), np.uint32)
    place[order] = np.arange(len(order), dtype=np.uint32)
    every = pl.concat(moved)
    every = every.with_columns(unit=pl.Series(place[every["unit"].to_numpy()]))
    return Units(
        whole.drop("old"),
        np.concatenate([part.vectors for part in parts])[order],
        every,
        np.concatenate([part.first for part in parts])[order],
        np.concatenate([part.weights for part in parts])[order],
    )


def _addresses(batches: Iterable[pl.DataFrame]) -> Addresses:
    """What pages say of their own address and day, and of the same page in other languages."""
    keys: list[tuple[str, str]] = []
    days: list[tuple[str, str]] = []
    own: list[tuple[str, str]] = []
    named: list[tuple[str, str]] = []
    rows = chain.from_iterable(batch.select(_DOCUMENT_COLUMNS).iter_rows() for batch in batches)
    for doc, url, canonical, alternates, metadata in rows:
        given = [address for address in (url, canonical) if address]
        base = given[0] if given else ""
        full = [_resolved(base, address) for address in given]
        keys += [(doc, key) for key in {address_key(address) for address in full} if key]
        own += [(doc, name) for name in {_plain(address) for address in full} if name]
        links = (_plain(_resolved(base, link["url"] or "")) for link in alternates or () if link)
        named += [(doc, name) for name in links if name]
        if day := day_of(metadata or "", base):
            days.append((doc, day))
    strings = {"doc_id": pl.String, "name": pl.String}
    mine = pl.DataFrame(own, strings, orient="row").rename({"doc_id": "other"})
    linked = (
        pl.DataFrame(named, strings, orient="row")
        .join(mine, on="name")
        .select("doc_id", "other")
        .filter(pl.col("doc_id") != pl.col("other"))
    )
    back = linked.select(doc_id="other", other="doc_id")
    dated = pl.DataFrame(days, strings, orient="row")
    return Addresses(
        pl.DataFrame(keys, {"doc_id": pl.String, "key": pl.String}, orient="row"),
        pl.concat([linked, back]).unique(),
        dated.select("doc_id", day=pl.col("name").str.to_date(strict=False)).drop_nulls(),
    )


def address_key(address: str) -> str:
    """An address without its languages: the same for a page and its translation.

    Scheme, www, fragment, last slash and case go too. Empty where there is no address.

    >>> address_key("https://www.site.org/ar/news/12?lang=ar")
    'site.org/news/12'
    >>> address_key("http://en.site.org/news/12/")
    'site.org/news/12'
    >>> address_key("https://site.org/report-ar.html?page=2") == address_key("site.org/report.html")
    False
    """
    try:
        parts = urlsplit(address.strip().lower())
        host = parts.hostname or ""
    except ValueError:
        return ""
    if not host:
        return ""
    labels = host.split(".")
    kept = [x for x in labels[:-2] if x not in _HOSTS and not _LANGUAGE.fullmatch(x)]
    steps = [x for x in parts.path.split("/") if x and not _LANGUAGE.fullmatch(x)]
    if steps:
        steps[-1] = _SUFFIX.sub("", steps[-1])
    query = urlencode(sorted((k, v) for k, v in parse_qsl(parts.query) if k not in _QUERY))
    return "/".join([".".join([*kept, *labels[-2:]]), *steps]) + (f"?{query}" if query else "")


def day_of(metadata: str, address: str) -> str:
    """The day a page was published, as it says or its address: ISO 8601; empty where unknown.

    >>> day_of('{"meta": {"article:published_time": "2024-05-12T10:00Z"}}', "")
    '2024-05-12'
    >>> day_of("", "https://site.org/2024/5/2/news")
    '2024-05-02'
    """
    found = _DAY.search(metadata) or _DAY_OF_PATH.search(address)
    return "{}-{:0>2}-{:0>2}".format(*found.groups()) if found else ""


def _resolved(base: str, address: str) -> str:
    try:
        return urljoin(base, address.strip())
    except ValueError:
        return ""


def _plain(address: str) -> str:
    """An address for comparing: no scheme, fragment or last slash, the host in lower case."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return ""
    if not host:
        return ""
    path = parts.path.rstrip("/")
    return f"{host}{path}?{parts.query}" if parts.query else f"{host}{path}"
