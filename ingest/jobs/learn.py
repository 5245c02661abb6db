"""Turn the corrections of a run into rules for its sites, and count what they would change."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import polars as pl

from ingest.dedup.site_templates import find_sites
from ingest.jobs.run_pages import RunPages
from ingest.review.corrections import WRONG, Corrections
from ingest.review.rules import SITE_RULE, learn_rules, template_path
from ingest.review.segments import correct_segments
from ingest.text import count_noun

PASSES = 2
"""How often `propose_rules` reads all segments."""

_KEY = ["site", "path"]
_EXAMPLE_CHARS = 60


@dataclass(frozen=True)
class ProposedRules:
    """Rules, and what they would change in the run.

    Attributes:
        rules: site, path, role, keep.
        effects: the same, and the number of `segments` and `pages` that would change, and the
            text of one as an `example`.
    """

    rules: pl.DataFrame
    effects: pl.DataFrame

    def __str__(self) -> str:
        """Return the rules as lines, two for each.

        >>> rule = {"site": "a.com", "path": "body p", "role": "nav", "keep": False}
        >>> frame = pl.DataFrame([rule | {"segments": 3, "pages": 1, "example": "Share"}])
        >>> print(ProposedRules(frame.select("site", "path", "role", "keep"), frame))
        a.com: body p → nav, dropped
            changes 3 segments of 1 page, such as: Share
        """
        return "\n".join(
            f"{row['site'] or '(no folder)'}: {row['path']} → {row['role']}, "
            f"{'kept' if row['keep'] else 'dropped'}\n"
            f"    changes {count_noun(row['segments'], 'segment')} of "
            f"{count_noun(row['pages'], 'page')}"
            + (f", such as: {row['example']}" if row["example"] else "")
            for row in self.effects.iter_rows(named=True)
        )


def propose_rules(
    pages: RunPages, corrections: Corrections, kept_roles: Collection[str]
) -> ProposedRules:
    """Derive rules from the corrections of segments in a run.

    Args:
        pages: the run, to which the corrections need not have been applied.
        corrections: all corrections. Rules that are among them already are not proposed again.
        kept_roles: roles that the run keeps.

    Raises:
        SourceError: a file cannot be read.
    """
    evidence = [_evidence(*batch, corrections, kept_roles) for batch in pages.batches()]
    rules = learn_rules(pl.concat(evidence)) if evidence else corrections.rules.clear()
    rules = rules.join(corrections.rules, on=rules.columns, how="anti", maintain_order="left")
    proposed = Corrections(corrections.segments, rules=rules)
    effects = [_effects(*batch, corrections, proposed, kept_roles) for batch in pages.batches()]
    counted = (
        pl.concat(effects)
        .group_by(_KEY, maintain_order=True)
        .agg(pl.col("segments", "pages").sum(), pl.col("example").first())
        if effects
        else pl.DataFrame(schema={"site": pl.String, "path": pl.String})
    )
    table = rules.join(counted, on=_KEY, how="left", maintain_order="left")
    return ProposedRules(rules, table.with_columns(pl.col(pl.UInt32).fill_null(0)))


def _evidence(
    segments: pl.DataFrame,
    documents: pl.DataFrame,
    corrections: Corrections,
    kept_roles: Collection[str],
) -> pl.DataFrame:
    """Return what was said about segments of a batch, as `learn_rules` needs it."""
    site = find_sites(documents)
    result = correct_segments(segments, corrections, site, kept_roles=kept_roles)
    said = corrections.segments[result.matches["at"]]
    gives_label = pl.col("said_role").is_not_null() | pl.col("said_keep").is_not_null()
    return (
        result.segments[result.matches["row"]]
        .select("doc_id", "role", "keep", path=template_path(pl.col("markup")))
        .hstack(said.select("verdict", said_role="role", said_keep="keep"))
        .filter(gives_label | pl.col("verdict").is_not_null())  # not only a boundary
        .with_columns(verdict=pl.when(gives_label).then(pl.lit(WRONG)).otherwise("verdict"))
        .join(site, on="doc_id", how="left", maintain_order="left")
        .select("site", "path", "doc_id", "role", "keep", "verdict")
    )


def _effects(
    segments: pl.DataFrame,
    documents: pl.DataFrame,
    corrections: Corrections,
    proposed: Corrections,
    kept_roles: Collection[str],
) -> pl.DataFrame:
    """Count what rules change in a batch: site, path, segments, pages, example."""
    site = find_sites(documents)
    before = correct_segments(segments, corrections, site, kept_roles=kept_roles).segments
    after = correct_segments(before, proposed, site, kept_roles=kept_roles).segments
    changed = (after["role_by"] == SITE_RULE) & (
        (after["role"] != before["role"]) | (after["keep"] != before["keep"])
    )
    return (
        after.filter(changed)
        .select("doc_id", "text", path=template_path(pl.col("markup")))
        .join(site, on="doc_id", how="left", maintain_order="left")
        .group_by(_KEY, maintain_order=True)
        .agg(
            segments=pl.len(),
            pages=pl.col("doc_id").n_unique(),
            example=pl.col("text").first().str.slice(0, _EXAMPLE_CHARS),
        )
    )
