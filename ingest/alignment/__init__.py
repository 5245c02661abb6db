"""Sentence alignment: `align` pairs the segments of two pages, `align_lines` two lists of lines."""

from __future__ import annotations

import hashlib
from itertools import islice
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
_SPANS = 1 << 12  # pairs whose rows are Python objects at once
_MIN_SHARE = 0.6  # share of a side's characters that must be in one language to name the side's
_MIN_CHARS = 200  # characters needed to trust a language other than LANGS


class Line(NamedTuple):
    """One sentence or line of a side, and where it comes from."""

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
    """Align the lines of two texts.

    A line that appears in no pair has no counterpart.

    Args:
        source: one unit per line.
        target: the same for the other side.
        langs: ISO 639-1 codes of source and target; detected if None.
        docs: values of `source_doc` and `target_doc`.
        config: which encoder to use, and whether to translate one side.
        translation: how to translate it.

    Returns:
        A pairs frame with one row per pair, in order. `source_segments` and `target_segments` are
        0-based line numbers.

    Raises:
        AlignError: a side is empty, or is not in the expected language.
        ModelError: a side must be translated, but no package for it is installed.

    >>> pairs = align_lines(["صباح الخير يا أمي", "قرأت كتابا"], ["Good morning, mother", "I read"])
    >>> pairs.select("source_segments", "target_segments", "source_lang").rows()
    [([0], [0], 'ar'), ([1], [1], 'ar')]
    """
    settings, translation = _settings(config, translation)
    sides = [[Line(scrub(t), i, None, None) for i, t in enumerate(s)] for s in (source, target)]
    both = sides[0], sides[1]
    langs = _check_languages(both, langs or _configured_langs(settings), docs)
    return _align_sides(both, langs, docs, settings, translation)


def align(
    source: pl.DataFrame,
    target: pl.DataFrame,
    *,
    langs: tuple[str, str] | None = None,
    config: AlignConfig | Config | None = None,
    translation: TranslateConfig | None = None,
) -> pl.DataFrame:
    r"""Align the sentences of two pages.

    Args:
        source: segments frame of one page. If it is labelled, only kept segments count; if
            languages are detected, only segments in the language of the side count.
        target: the same for the other side; the same frame if one page holds both languages.
        langs: ISO 639-1 codes of source and target; detected if None.
        config: which encoder to use, and whether to translate one side.
        translation: how to translate it.

    Returns:
        A pairs frame with one row per pair, in the order of the source. `source_segments` and
        `target_segments` are the numbers of the segments that contain the sentences;
        `source_start` … `target_end` are character offsets in the text of the pages.

    Raises:
        FrameError: a column is missing.
        AlignError: a side is empty, holds several pages, or is not in the expected language.
        ModelError: a side must be translated, but no package for it is installed.

    >>> import ingest
    >>> texts = ["صباح الخير يا أمي\nقرأت كتابا", "Good morning, mother\nI read a book"]
    >>> frames = [pl.DataFrame({"text": [text]}) for text in texts]
    >>> arabic, english = (ingest.segment(ingest.read(frame)) for frame in frames)
    >>> align(arabic, english).select("source_text", "target_text").row(0)
    ('صباح الخير يا أمي', 'Good morning, mother')
    """
    return align_named(source, target, langs=langs, config=config, translation=translation)


def align_named(
    source: pl.DataFrame,
    target: pl.DataFrame,
    *,
    names: tuple[str, str] | None = None,
    langs: tuple[str, str] | None = None,
    config: AlignConfig | Config | None = None,
    translation: TranslateConfig | None = None,
) -> pl.DataFrame:
    """Align the sentences of two pages like `align`; errors call the pages by `names`, as files."""
    settings, translation = _settings(config, translation)
    for frame in (source, target):
        check(frame, SEGMENTS, verb="align")
    side_langs = langs or _configured_langs(settings) or _detected_langs(source, target)
    sides = []
    docs = []
    for name, frame, lang in zip(
        ("source", "target"), (source, target), side_langs or ("", ""), strict=True
    ):
        pages = frame["doc_id"].unique()
        if len(pages) > 1:
            raise AlignError(f"align: the {name} holds {len(pages)} pages; pass segments of one")
        docs.append(str(pages[0]) if len(pages) else name)
        lines = _sentences(frame, lang)
        if not lines:  # the page may be in the language of the other side: the check names it
            everything = _sentences(frame, "")
            lines = everything if _dominant_language([x.text for x in everything]) else []
        sides.append(lines)
    both = sides[0], sides[1]
    langs = _check_languages(both, side_langs, names or (docs[0], docs[1]))
    return _align_sides(both, langs, (docs[0], docs[1]), settings, translation)


def _sentences(frame: pl.DataFrame, lang: str) -> list[Line]:
    """Sentences of the segments that count, in order."""
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


def _configured_langs(config: AlignConfig) -> tuple[str, str] | None:
    return (config.langs[0], config.langs[1]) if config.langs else None


def _detected_langs(source: pl.DataFrame, target: pl.DataFrame) -> tuple[str, str] | None:
    """Languages of the sides, if both frames have a `lang` column that names them."""
    chars_by_lang = []
    for frame in (source, target):
        if "lang" not in frame.columns:
            return None
        kept = frame.filter(pl.col("keep")) if "keep" in frame.columns else frame
        chars = (
            kept.filter(pl.col("lang").is_in(LANGS))
            .group_by("lang")
            .agg(pl.col("text").str.len_chars().sum())
        )
        chars_by_lang.append(dict(chars.iter_rows()))
    first, second = chars_by_lang
    # A page may hold both languages: choose the assignment that covers the most text.
    forward = first.get("ar", 0) * second.get("en", 0)
    backward = first.get("en", 0) * second.get("ar", 0)
    if not forward and not backward:
        return None
    return LANGS if forward >= backward else (LANGS[1], LANGS[0])


def _align_sides(
    sides: tuple[list[Line], list[Line]],
    langs: tuple[str, str],
    docs: tuple[str, str],
    config: AlignConfig,
    translation: TranslateConfig | None,
) -> pl.DataFrame:
    from ingest.encoder.model import Encoder

    texts = [[line.text for line in side] for side in sides]
    encoder = Encoder.load(config.encoder or None)
    translator = load_side_translator(langs, translation) if config.translate else None
    extra = translator.encode if translator else None
    found = align_sentences(
        texts[0], texts[1], langs=langs, encode=encoder.encode_sums, extra=extra
    )
    model = f"{encoder.name}+{translator.name}" if translator else encoder.name
    frames = [pl.DataFrame(schema=schema(PAIRS, ALIGNED))]
    while spans := list(islice(found, _SPANS)):
        rows = [_row(span, sides, langs, docs, model) for span in spans]
        frame = pl.DataFrame(rows, schema(PAIRS, ALIGNED), orient="row")
        if translator:
            lines = [
                ([texts[0][i] for i in s.source], [texts[1][j] for j in s.target]) for s in spans
            ]
            chrf = pl.Series("chrf", translator.chrf(lines, langs[0]), pl.Float32)
            frame = frame.with_columns(chrf)
        frames.append(frame)
    return pl.concat(frames, rechunk=True)


def _row(
    span: AlignedSpan,
    sides: tuple[list[Line], list[Line]],
    langs: tuple[str, str],
    docs: tuple[str, str],
    model: str,
) -> dict[str, object]:
    row: dict[str, object] = {"method": "aligned", "model": model, "score": span.score}
    identity = []
    for side, side_lines, numbers, lang, doc in (
        ("source", sides[0], span.source, langs[0], docs[0]),
        ("target", sides[1], span.target, langs[1], docs[1]),
    ):
        lines = [side_lines[i] for i in numbers]
        row[f"{side}_lang"] = lang
        row[f"{side}_text"] = " ".join(line.text.strip() for line in lines)
        row[f"{side}_doc"] = doc
        row[f"{side}_segments"] = list(dict.fromkeys(line.segment for line in lines))
        row[f"{side}_start"], row[f"{side}_end"] = lines[0].start, lines[-1].end
        # The position in the page is part of the id: a page is aligned once per article.
        identity += [doc, str([(line.segment, line.start, line.end) for line in lines])]
    name = "\n".join(identity)
    row["pair_id"] = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:16]
    return row | span.evidence | {"chrf": None}


def _check_languages(
    sides: tuple[list[Line], list[Line]], langs: tuple[str, str] | None, docs: tuple[str, str]
) -> tuple[str, str]:
    """Return the languages of both sides.

    Raises:
        AlignError: a side is empty, or its language does not fit.
    """
    source, target = ([line.text for line in side] for side in sides)
    for side, texts, doc in (("source", source, docs[0]), ("target", target, docs[1])):
        if not any(t.strip() for t in texts):
            raise AlignError(
                f"align: the {side} ({doc}) has nothing to pair: it is empty, or none of its lines "
                "was kept as content; use --lines to take every line"
            )
    detected = [_dominant_language(source), _dominant_language(target)]
    if langs is None:
        if detected[0] == detected[1] and detected[0]:
            raise AlignError(
                f"align: both sides are in {_describe(detected[0])} ({docs[0]} and {docs[1]}); "
                "one must be a translation of the other"
            )
        other = {"ar": "en", "en": "ar"}
        a = detected[0] or other.get(detected[1], "ar")
        langs = (a, detected[1] or other.get(a, "en"))
    if sorted(langs) != sorted(LANGS):
        raise AlignError(
            f"align: source and target are in {_describe(langs[0])} and {_describe(langs[1])}, but "
            "the shipped models know only ar and en; if detection is wrong, set langs"
        )
    for side, lang, actual, doc in (
        ("source", langs[0], detected[0], docs[0]),
        ("target", langs[1], detected[1], docs[1]),
    ):
        if actual and actual != lang:
            swapped = detected == [langs[1], langs[0]]
            hint = f"; the sides are swapped, so give {docs[1]} first" if swapped else ""
            raise AlignError(
                f"align: the {side} ({doc}) should be in {_describe(lang)}, "
                f"but is in {_describe(actual)}{hint}"
            )
    return langs


def _dominant_language(texts: list[str]) -> str:
    """The language of most of a side's text; empty if there is none."""
    from ingest.detection.language_shares import majority_language

    majority = majority_language(texts, min_share=_MIN_SHARE, max_chars=1000)
    if majority is None:
        return ""
    # A line or two of English may be mistaken for another language, such as German.
    return majority.lang if majority.lang in LANGS or majority.chars >= _MIN_CHARS else ""


def _describe(lang: str) -> str:
    return {"ar": "Arabic (ar)", "en": "English (en)"}.get(lang, f"{lang!r}")
