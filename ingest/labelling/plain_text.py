"""Which lines of a plain text are content, when the text is aligned or translated by itself."""

from __future__ import annotations

import polars as pl

from ingest.text import count_noun

# A page copied as text has menus and captions between its sentences; a file of sentences has not.
_MIXED = 0.6  # from this share of lines that read like text, full sentences are never boilerplate
_RUNNING = 0.9  # from this share, no line is
_SENTENCE_WORDS = 4  # a shorter line with a full stop may be a button or a byline
_LONG = 8  # words; poems and verses have no full stops
_ENDS = r"[.!?؟۔…:][\"'”’»›)\]\u200e\u200f\u202c\u2069]*\s*$"
_CREDIT = r"©|\([cC]\)|\b[cC]opyright\b"


def keep_sentences(segments: pl.DataFrame) -> pl.DataFrame:
    """Set `keep` for the sentences of a plain text that were labelled as something else.

    Without markup, a single sentence can look like a byline or a caption. If most lines of a
    page read like text, all its full sentences are kept; if nearly all do, all its lines are.
    Pages with markup do not change.

    Args:
        segments: labelled segments of pages.

    >>> text = ["By the time he came, she had left.", "He sat down.", "By Jo Smith"]
    >>> frame = {"doc_id": "a", "markup": None, "text": text, "keep": [False, True, False],
    ...          "duplicate_of": None}
    >>> keep_sentences(pl.DataFrame(frame))["keep"].to_list()
    [True, True, False]
    """
    words = pl.col("text").str.count_matches(r"\p{L}[\p{L}\p{M}'’-]*")
    ended = pl.col("text").str.contains(_ENDS)
    credit = pl.col("text").str.contains(_CREDIT)
    read_like_text = ((ended & (words > 1)) | (words >= _LONG)) & ~credit
    share = read_like_text.mean().over("doc_id")
    sentence = ended & (words >= _SENTENCE_WORDS) & ~credit
    repeated = pl.col("duplicate_of").is_not_null()
    restored = ((share >= _MIXED) & sentence & ~repeated) | ((share >= _RUNNING) & (words > 0))
    plain = pl.col("markup").is_null().all().over("doc_id")
    return segments.with_columns(keep=pl.col("keep") | (plain & restored))


def describe_left_out(count: int, *, verb: str) -> str:
    """Say how many lines were left out, and what `--lines` does instead.

    Args:
        count: number of lines.
        verb: what `--lines` does with a line.

    >>> describe_left_out(1, verb="aligns")
    'left out 1 line that is not content; --lines aligns every line, each as one unit'
    """
    are = "is" if count == 1 else "are"
    lines = count_noun(count, "line")
    return f"left out {lines} that {are} not content; --lines {verb} every line, each as one unit"
