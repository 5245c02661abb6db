"""Apply corrections and rules to segments."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import polars as pl

from ingest.drop_reasons import PERSON, SITE_RULE
from ingest.frames import LABELLED, SEGMENTS, check
from ingest.review.boundaries import correct_articles
from ingest.review.correction_lines import WRONG
from ingest.review.corrections import Corrections
from ingest.review.hashes import text_hash
from ingest.review.rules import find_ruled, ruled_pages
from ingest.roles import BOILERPLATE_ROLES, KEPT_ROLES

_LABELS = ("role", "role_score", "role_by", "article", "keep", "cluster")
_EFFECTS = ("role", "article", "keep")  # a change of one of them is worth counting


class CorrectedSegments(NamedTuple):
    """Segments after corrections.

    Attributes:
        segments: the segments, with the same rows and columns.
        matches: one row per correction that applies to a segment: `at`, its row in
            `Corrections.segments`; `row`, that of the segment; `changed`, whether the role, article
            or keep of the segment is another now.
        by_rules: number of segments whose role or keep a rule has changed.
    """

    segments: pl.DataFrame
    matches: pl.DataFrame
    by_rules: int


def correct_segments(
    segments: pl.DataFrame,
    corrections: Corrections,
    site: pl.DataFrame | None = None,
    *,
    kept_roles: Collection[str] = KEPT_ROLES,
) -> CorrectedSegments:
    """Apply corrections and rules to segments. To apply them again makes no difference.

    A correction applies to the segment of its page with the same text: to the one with its number,
    or else to the nearest. One without `sha` applies to the segment with its number, whatever its
    text is. A person's role or keep gives `role_by` "person", and a rule "site
    rule"; rules do not touch what a person has decided. Clusters are not compared again.

    Args:
        segments: labelled segments, whole pages.
        corrections: the corrections.
        site: the site of each page, as `find_sites` returns it; without it, no rule applies.
        kept_roles: roles that are kept, for corrections that give a role and not `keep`.

    Raises:
        FrameError: a column is missing.

    >>> import ingest, json
    >>> from ingest.review.corrections import parse_corrections
    >>> pages = ingest.read(ingest.samples())
    >>> segments = ingest.label(ingest.detect(ingest.segment(pages)))
    >>> row = segments.filter("keep").select(
    ...     "doc_id", "segment", sha=text_hash(pl.col("text"))).row(0, named=True)
    >>> line = json.dumps({"kind": "segment", "verdict": "wrong", "role": "nav"} | row)
    >>> said = parse_corrections(line.encode())
    >>> result = correct_segments(segments, said)
    >>> segments["keep"].sum() - result.segments["keep"].sum(), result.matches["changed"].to_list()
    (1, [True])
    """
    check(segments, SEGMENTS, LABELLED, verb="correct")
    none = pl.DataFrame(schema={"at": pl.UInt32(), "row": pl.UInt32(), "changed": pl.Boolean()})
    docs = pl.concat([corrections.segments["doc_id"], ruled_pages(corrections, site)]).unique()
    part = segments.with_row_index("row").filter(pl.col("doc_id").is_in(docs.implode()))
    if part.is_empty():
        return CorrectedSegments(segments, none, 0)
    matches = match_segments(part, corrections.segments)
    given = corrections.segments.select(
        pl.col("verdict", "keep", "role", "starts_article").name.prefix("given_")
    ).with_row_index("at")
    part = part.join(
        matches.drop("sha").join(given, on="at"), on="row", how="left", maintain_order="left"
    )
    if site is None or corrections.rules.is_empty():
        part = part.with_columns(
            rule_role=pl.lit(None, pl.String), rule_keep=pl.lit(None, pl.Boolean)
        )
    else:
        part = part.hstack(find_ruled(part, corrections.rules, site))
    new = _decide(part, kept_roles)
    names = [name for name in _LABELS if name in segments.columns]
    corrected = segments.with_columns(segments[n].scatter(part["row"], new[n]) for n in names)
    changed = part.select(
        "row", "at", changed=pl.any_horizontal(pl.col(n).ne_missing(new[n]) for n in _EFFECTS)
    )
    matched = changed.drop_nulls("at").select("at", "row", "changed").sort("at")
    return CorrectedSegments(corrected, matched, int(new["by_rule"].sum()))


def match_segments(segments: pl.DataFrame, corrections: pl.DataFrame) -> pl.DataFrame:
    """Find the segment of each correction.

    Args:
        segments: columns doc_id, row, segment and text.
        corrections: as `Corrections.segments`.

    Returns:
        Columns at (the row in `corrections`), row, and sha (that of the text of the segment). Each
        correction and each segment occurs once at most.

    >>> frame = pl.DataFrame({"doc_id": ["d"], "row": [0], "segment": [4], "text": ["نص"]})
    >>> said = pl.DataFrame({"doc_id": ["d"], "segment": [1], "sha": ["e01176c2a05916f0"]})
    >>> match_segments(frame, said).rows()
    [(0, 0, 'e01176c2a05916f0')]
    """
    said = corrections.select("doc_id", "sha", "segment").with_row_index("at")
    texts = (
        segments.filter(pl.col("doc_id").is_in(said["doc_id"].unique().implode()))
        .select("doc_id", "row", "segment", sha=text_hash(pl.col("text")), number="segment")
        .sort("segment", maintain_order=True)
    )
    by_text, by_number = said.drop_nulls("sha"), said.filter(pl.col("sha").is_null()).drop("sha")
    numbered = by_number.join(texts, on=["doc_id", "segment"], how="inner")
    nearest = by_text.sort("segment", maintain_order=True).join_asof(
        texts,
        on="segment",
        by=["doc_id", "sha"],
        strategy="nearest",
        check_sortedness=False,
    )
    found = pl.concat([nearest.drop_nulls("row"), numbered], how="diagonal")
    return (
        found.sort((pl.col("segment") - pl.col("number")).abs(), "at")
        .unique("row", keep="first", maintain_order=True)
        .select("at", "row", "sha")
    )


def _decide(part: pl.DataFrame, kept_roles: Collection[str]) -> pl.DataFrame:
    """Return the labels of segments after rules and corrections, and by_rule.

    Args:
        part: segments of whole pages with given_* and rule_*.
        kept_roles: roles that are kept.
    """
    kept = list(kept_roles)
    is_kept_role = pl.col("given_role").is_in(kept)
    flips = (pl.col("given_verdict") == WRONG) & pl.col("given_keep").is_null()
    flips = flips.fill_null(value=False)
    by_person = flips | pl.col("given_keep").is_not_null() | pl.col("given_role").is_not_null()
    by_rule = pl.col("rule_role").is_not_null() & ~by_person
    rule_keep = pl.col("rule_keep") & pl.col("duplicate_of").is_null()
    # `wrong` is about the label of the machine, or of a rule; a person's is right
    flipped = pl.col("keep") ^ (pl.col("role_by") != PERSON)
    # a role alone says whether to keep the segment where it is kept and the old one is not
    by_role = (
        pl.when(~is_kept_role)
        .then(pl.lit(value=False))
        .when(~pl.col("role").is_in(kept))
        .then(pl.col("duplicate_of").is_null())
        .otherwise("keep")
    )
    keep = (
        pl.when(by_rule).then(rule_keep)
        .when(pl.col("given_keep").is_not_null()).then("given_keep")
        .when(flips).then(flipped)
        .when(pl.col("given_role").is_not_null() & pl.col("given_verdict").is_null()).then(by_role)
        .otherwise("keep")
    )  # fmt: skip
    decided = by_person | by_rule
    labels = part.select(
        role=pl.coalesce("given_role", pl.when(by_rule).then("rule_role"), "role"),
        role_score=pl.when(decided).then(pl.lit(1.0)).otherwise("role_score").cast(pl.Float32),
        role_by=pl.when(by_person)
        .then(pl.lit(PERSON))
        .when(by_rule)
        .then(pl.lit(SITE_RULE))
        .otherwise("role_by"),
        keep=keep,
        decided=decided,
        starts="given_starts_article",
        by_rule=by_rule & ((pl.col("rule_role") != pl.col("role")) | (keep != pl.col("keep"))),
    )
    is_boilerplate = pl.col("role").is_in(BOILERPLATE_ROLES)
    moves = labels.select(
        leaves=pl.col("decided") & ~pl.col("keep") & is_boilerplate & pl.col("starts").is_null(),
        joins=pl.col("decided") & pl.col("keep"),
    )
    articles = correct_articles(
        part, leaves=moves["leaves"], joins=moves["joins"], starts=labels["starts"]
    )
    return labels.drop("decided", "starts").hstack(articles)
