"""Turn the corrections of a run into rules for its sites, and count what they would change."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from ingest.dedup.site_templates import find_sites
from ingest.drop_reasons import SITE_RULE
from ingest.jobs.run_pages import RunPages
from ingest.review.correction_lines import WRONG
from ingest.review.corrections import Corrections
from ingest.review.rules import find_places, learn_rules, template_path
from ingest.review.segments import correct_segments
from ingest.text import count_noun

PASSES = 2
"""How often `propose_rules` reads all segments."""

_KEY = ["site", "path"]
_EXAMPLE_CHARS = 60
_PATH_CHARS = 90
_CLOSEST = 3  # places that are named if there is no rule
_NO_RULES = "none: a place needs 2 corrections on 2 pages, or 3 on one, that agree"
_EVIDENCE = pl.Schema(
    {
        "site": pl.String(),
        "path": pl.String(),
        "doc_id": pl.String(),
        "role": pl.String(),
        "keep": pl.Boolean(),
        "verdict": pl.String(),
        "is_folder": pl.Boolean(),
    }
)


@dataclass(frozen=True)
class ProposedRules:
    """Rules, and what they would change in the run.

    Attributes:
        rules: site, path, role, keep.
        effects: the same, and the number of `segments` and `pages` that would change, the text of
            one as an `example`, and `is_folder`: the site is a folder of pages without a URL.
        closest: places with corrections that give no rule, as `find_places` returns them.
    """

    rules: pl.DataFrame
    effects: pl.DataFrame
    closest: pl.DataFrame = field(default_factory=pl.DataFrame)

    def __str__(self) -> str:
        """Return the rules as lines, two for each, or the places that came closest to a rule.

        >>> rule = {"site": "a.com", "path": "body p.x-0", "role": "nav", "keep": False}
        >>> effect = {"segments": 3, "pages": 1, "example": "Share", "is_folder": False}
        >>> frame = pl.DataFrame([rule | effect])
        >>> print(ProposedRules(frame.select("site", "path", "role", "keep"), frame))
        a.com: body p.x-0 → nav, dropped
            changes 3 segments of 1 page, such as: Share
          in a path, 0 stands for any number
        >>> place = rule | {"labels": 1, "corrections": 2, "pages": 1}
        >>> print(ProposedRules(frame.clear(), frame.clear(), pl.DataFrame([place])))
        none: a place needs 2 corrections on 2 pages, or 3 on one, that agree; closest to that:
            a.com: body p.x-0: 2 corrections on 1 page
        """
        if not len(self.effects):
            return "\n".join(
                [
                    _NO_RULES + ("; closest to that:" if len(self.closest) else ""),
                    *map(_describe_place, self.closest.head(_CLOSEST).to_dicts()),
                ]
            )
        lines = []
        for row in self.effects.iter_rows(named=True):
            example = f", such as: {row['example']}" if row["example"] else ""
            lines += [
                f"{_name(row)} → {row['role']}, {'kept' if row['keep'] else 'dropped'}",
                f"    changes {count_noun(row['segments'], 'segment')} of "
                f"{count_noun(row['pages'], 'page')}{example}",
            ]
            if row["is_folder"]:
                lines.append(
                    "    the pages in this folder have no URL, so all of them count as one site; "
                    "apply the rule only if they are"
                )
        if self.effects["path"].str.contains("0").any():
            lines.append("  in a path, 0 stands for any number")
        return "\n".join(lines)


def _name(row: dict[str, Any]) -> str:
    """Return the site and the path, which is cut in the middle: its ends say most."""
    path = row["path"]
    if len(path) > _PATH_CHARS:
        path = f"{path[: _PATH_CHARS // 3]} … {path[-2 * _PATH_CHARS // 3 :]}"
    return f"{row['site'] or '(no folder)'}: {path}"


def _describe_place(row: dict[str, Any]) -> str:
    doubt = "" if row["labels"] == 1 else ", which do not agree with all that was said about it"
    return (
        f"    {_name(row)}: {count_noun(row['corrections'], 'correction')} on "
        f"{count_noun(row['pages'], 'page')}{doubt}"
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
    said = pl.concat(evidence) if evidence else pl.DataFrame(schema=_EVIDENCE)
    learned = learn_rules(said)
    rules = learned.join(corrections.rules, on=learned.columns, how="anti", maintain_order="left")
    closest = find_places(said).join(learned, on=_KEY, how="anti", maintain_order="left")
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
    folders = said.filter("is_folder")["site"].unique()
    table = table.with_columns(
        pl.col(pl.UInt32).fill_null(0), is_folder=pl.col("site").is_in(folders.implode())
    )
    return ProposedRules(rules, table, closest.filter(pl.col("corrections") > 0))


def _evidence(
    segments: pl.DataFrame,
    documents: pl.DataFrame,
    corrections: Corrections,
    kept_roles: Collection[str],
) -> pl.DataFrame:
    """Return what was said about segments of a batch, as `learn_rules` needs it."""
    site = find_sites(documents)
    result = correct_segments(segments, corrections, site, kept_roles=kept_roles)
    folder = find_sites(documents.with_columns(url=pl.lit(None, pl.String)))
    folder = folder.rename({"site": "folder"})
    said = corrections.segments[result.matches["at"]]
    gives_label = pl.col("said_role").is_not_null() | pl.col("said_keep").is_not_null()
    return (
        result.segments[result.matches["row"]]
        .select("doc_id", "role", "keep", path=template_path(pl.col("markup")))
        .hstack(said.select("verdict", said_role="role", said_keep="keep"))
        .filter(gives_label | pl.col("verdict").is_not_null())  # not only a boundary
        .with_columns(verdict=pl.when(gives_label).then(pl.lit(WRONG)).otherwise("verdict"))
        .join(site, on="doc_id", how="left", maintain_order="left")
        .join(folder, on="doc_id", how="left", maintain_order="left")
        .select(
            "site",
            "path",
            "doc_id",
            "role",
            "keep",
            "verdict",
            is_folder=pl.col("site") == pl.col("folder"),
        )
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
