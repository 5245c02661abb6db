"""The verbs: `align` for the segments of two pages, `align_lines` for two lists of lines."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from ingest.alignment.decoding import AlignedSpan, align_sentences
from ingest.alignment.machine_translation import load_side_translator
from ingest.config import AlignConfig, Config, TranslateConfig, config_of
from ingest.errors import AlignError
from ingest.frames import ALIGNED, PAIRS, SEGMENTS, check, schema
from ingest.sentences import sentence_spans
from ingest.text import scrub

if TYPE_CHECKING:
    from collections.abc import Sequence

LANGS = ("ar", "en")
_SURE = 0.6  # share of the characters with a language that are of the other one: said to be wrong
_ENOUGH = 200  # characters that tell a language which the models do not know


class Line(NamedTuple):
    """One sentence or line of a side and where it came from."""

    text: str
    segment: int
    start: int | None
    end: int | None


def align_lines(
    source: Sequence[str],
    target: Sequence[str],
    *,
    langs: tuple[str, str] | None = None,
    docs: tuple[str, str] = ("source", "target"),
    config: AlignConfig | Config | None = None,
    translation: TranslateConfig | None = None,
) -> pl.DataFrame:
    """Pair the lines of two texts; a line that is in no pair has no counterpart.

    Args:
        source: one unit a line.
        target: the same of the other side.
        langs: ISO 639-1 of source and target; found out where not given.
        docs: what `source_doc` and `target_doc` shall say.
        config: where the encoder stands, and whether one side is translated.
        translation: how it is.

    Returns:
        A pairs frame: one row a pair, in order, `source_segments` and `target_segments` being
        0-based numbers of lines.

    Raises:
        AlignError: a side is empty, or not in the language it should be in.
        ModelError: a side is to be translated, and no package is installed for it.
    """
    settings, translation = _settings(config, translation)
    sides = [[Line(scrub(t), i, None, None) for i, t in enumerate(s)] for s in (source, target)]
    return _pairs((sides[0], sides[1]), langs or _given(settings), docs, settings, translation)


def align(
    source: pl.DataFrame,
    target: pl.DataFrame,
    *,
    langs: tuple[str, str] | None = None,
    config: AlignConfig | Config | None = None,
    translation: TranslateConfig | None = None,
) -> pl.DataFrame:
    """Pair the sentences of two pages.

    Args:
        source: segments frame of one page. Where it is labelled, only kept segments are looked at;
            where languages are known, only those in the language of the side.
        target: the same of the other side; the same frame where one page holds both languages.
        langs: ISO 639-1 of source and target; found out where not given.
        config: where the encoder stands, and whether one side is translated.
        translation: how it is.

    Returns:
        A pairs frame: one row a pair, in the order of the source. `source_segments` and
        `target_segments` are the numbers of the segments that the sentences stand in,
        `source_start` … `target_end` their places in the text of the pages.

    Raises:
        FrameError: a column is missing.
        AlignError: a side is empty, holds several pages, or is not in the language it should be in.
        ModelError: a side is to be translated, and no package is installed for it.
    """
    settings, translation = _settings(config, translation)
    for frame in (source, target):
        check(frame, SEGMENTS, verb="align")
    named = langs or _given(settings) or _of_frames(source, target)
    sides = []
    docs = []
    for name, frame, lang in zip(
        ("source", "target"), (source, target), named or ("", ""), strict=True
    ):
        pages = frame["doc_id"].unique()
        if len(pages) > 1:
            raise AlignError(f"align: the {name} holds {len(pages)} pages, must be one")
        docs.append(str(pages[0]) if len(pages) else name)
        sides.append(_sentences(frame, lang))
    return _pairs((sides[0], sides[1]), named, (docs[0], docs[1]), settings, translation)


def _sentences(frame: pl.DataFrame, lang: str) -> list[Line]:
    """The sentences of the segments that count, in order."""
    if "keep" in frame.columns:
        frame = frame.filter("keep")
    if lang and "lang" in frame.columns:
        frame = frame.filter(pl.col("lang").is_in([lang, "und", "zxx"]))
    return [
        Line(text[a:b], number, start + a, start + b)
        for number, start, text in frame.select("segment", "start", "text").iter_rows()
        for a, b in sentence_spans(text)
    ]


def _settings(
    config: AlignConfig | Config | None, translation: TranslateConfig | None
) -> tuple[AlignConfig, TranslateConfig | None]:
    if isinstance(config, Config):
        translation = translation or config.translate
    return config_of(config, AlignConfig), translation


def _given(config: AlignConfig) -> tuple[str, str] | None:
    return (config.langs[0], config.langs[1]) if config.langs else None


def _of_frames(source: pl.DataFrame, target: pl.DataFrame) -> tuple[str, str] | None:
    """The languages of the sides where detection has named them."""
    found = []
    for frame in (source, target):
        if "lang" not in frame.columns:
            return None
        some = frame.filter(pl.col("keep")) if "keep" in frame.columns else frame
        size = (
            some.filter(pl.col("lang").is_in(LANGS))
            .group_by("lang")
            .agg(pl.col("text").str.len_chars().sum())
        )
        found.append(dict(size.iter_rows()))
    first, second = found
    # a page may hold both: the pairing of languages with sides that has the most text
    forth = first.get("ar", 0) * second.get("en", 0)
    back = first.get("en", 0) * second.get("ar", 0)
    if not forth and not back:
        return None
    return LANGS if forth >= back else (LANGS[1], LANGS[0])


def _pairs(
    sides: tuple[list[Line], list[Line]],
    langs: tuple[str, str] | None,
    docs: tuple[str, str],
    config: AlignConfig,
    translation: TranslateConfig | None,
) -> pl.DataFrame:
    from ingest.encoder.model import Encoder

    texts = [[line.text for line in side] for side in sides]
    langs = _languages(texts[0], texts[1], langs, docs)
    encoder = Encoder.load(config.encoder or None)
    heard = load_side_translator(langs, translation) if config.translate else None
    extra = heard.encode if heard else None
    found = align_sentences(
        texts[0], texts[1], langs=langs, encode=encoder.encode_sums, extra=extra
    )
    model = f"{encoder.name}+{heard.name}" if heard else encoder.name
    rows = [_row(f, sides, langs, docs, model) for f in found]
    frame = pl.DataFrame(rows, schema(PAIRS, ALIGNED), orient="row")
    if heard:
        lines = [([texts[0][i] for i in f.source], [texts[1][j] for j in f.target]) for f in found]
        said = pl.Series("chrf", heard.chrf(lines, langs[0]), pl.Float32)
        frame = frame.with_columns(said)
    return frame


def _row(
    found: AlignedSpan,
    sides: tuple[list[Line], list[Line]],
    langs: tuple[str, str],
    docs: tuple[str, str],
    model: str,
) -> dict[str, object]:
    row: dict[str, object] = {"method": "aligned", "model": model, "score": found.score}
    said = []
    for side, lines, at, lang, doc in (
        ("source", sides[0], found.source, langs[0], docs[0]),
        ("target", sides[1], found.target, langs[1], docs[1]),
    ):
        some = [lines[i] for i in at]
        row[f"{side}_lang"] = lang
        row[f"{side}_text"] = " ".join(line.text.strip() for line in some)
        row[f"{side}_doc"] = doc
        row[f"{side}_segments"] = list(dict.fromkeys(line.segment for line in some))
        row[f"{side}_start"], row[f"{side}_end"] = some[0].start, some[-1].end
        # the place in the page, since one page may be aligned more than once, an article at a time
        said += [doc, str([(line.segment, line.start, line.end) for line in some])]
    name = "\n".join(said)
    row["pair_id"] = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:16]
    return row | found.evidence | {"chrf": None}


def _languages(
    source: list[str], target: list[str], langs: tuple[str, str] | None, docs: tuple[str, str]
) -> tuple[str, str]:
    """The languages of both sides, or an error that says what is wrong with them."""
    for side, texts, doc in (("source", source, docs[0]), ("target", target, docs[1])):
        if not any(t.strip() for t in texts):
            raise AlignError(
                f"align: the {side} ({doc}) holds nothing to pair: it is empty, or no line of it "
                "was kept as content (--lines takes every line)"
            )
    seen = [_language(source), _language(target)]
    if langs is None:
        known = [lang for lang in seen if lang]
        if seen[0] == seen[1] and known:
            raise AlignError(
                f"align: both sides are in {_name(seen[0])}; one must be its translation"
            )
        other = {"ar": "en", "en": "ar"}
        a = seen[0] or other.get(seen[1], "ar")
        langs = (a, seen[1] or other.get(a, "en"))
    if sorted(langs) != sorted(LANGS):
        raise AlignError(
            f"align: source and target are {_name(langs[0])} and {_name(langs[1])}; "
            "the shipped models know ar and en: name them with langs if detection is wrong"
        )
    for side, lang, found in (("source", langs[0], seen[0]), ("target", langs[1], seen[1])):
        if found and found != lang:
            swapped = " (are the sides swapped?)" if seen == [langs[1], langs[0]] else ""
            raise AlignError(
                f"align: the {side} should be in {_name(lang)} and is in {_name(found)}{swapped}"
            )
    return langs


def _language(texts: list[str]) -> str:
    """The language of most of a side's text; empty where that cannot be said."""
    from ingest.detection.language_shares import shares

    share = shares(texts, longest=1000)
    if share.is_empty() or share["chars"][0] < _SURE * float(share["chars"].sum()):
        return ""
    found = str(share["lang"][0])
    # a line or two in English may look German
    return found if found in LANGS or share["chars"][0] >= _ENOUGH else ""


def _name(lang: str) -> str:
    return {"ar": "Arabic (ar)", "en": "English (en)"}.get(lang, f"{lang!r}")
