"""Label pages that are known to be body text, such as the paragraphs of a corpus."""

from __future__ import annotations

import numpy as np
import polars as pl

from ingest.codepoints import unique_texts
from ingest.config import LabelConfig
from ingest.labelling.articles import find_script_debris
from ingest.labelling.bare import find_bare
from ingest.labelling.damage import find_damaged
from ingest.labelling.duplicates import find_duplicates, find_originals
from ingest.labelling.hidden import find_hidden
from ingest.page_spans import find_pages


def label_body_text(segments: pl.DataFrame, config: LabelConfig) -> pl.DataFrame:
    r"""Add role, role_score, role_by, article, duplicate_of and keep, without asking the model.

    Args:
        segments: the columns of `ingest.detect`. The rows of each page are contiguous.
        config: the roles to keep.

    >>> import ingest
    >>> page = ingest.read(pl.DataFrame({"text": ["A Quiet Harbour\n* * *"]}))
    >>> segments = ingest.detect(ingest.segment(page))
    >>> label_body_text(segments, LabelConfig()).select("role", "role_by", "keep").rows()
    [('body', 'setting', True), ('widget', 'bare', False)]
    """
    pages = find_pages(segments["doc_id"])
    distinct, text_of = unique_texts(segments["text"])
    duplicates = find_duplicates(distinct, np.zeros(len(distinct), bool), text_of, pages)
    script, bare = find_script_debris(segments), find_bare(segments)
    body = ~(script | bare)
    hidden = find_hidden(segments, body, pages)
    original = find_originals(duplicates, body & ~hidden)
    is_duplicate = original != np.arange(len(original))
    role = np.select([script, bare], ["code", "widget"], "body")
    kept = body & np.isin(role, config.keep) & ~is_duplicate & ~hidden & ~find_damaged(segments)
    return segments.with_columns(
        role=pl.Series(role, dtype=pl.String),
        role_score=pl.lit(1.0, pl.Float32),
        role_by=pl.Series(
            np.select([script, bare], ["script", "bare"], "setting"), dtype=pl.String
        ),
        article=pl.Series(body.astype(np.int64)),
        duplicate_of=pl.when(pl.Series(is_duplicate)).then(segments["segment"].gather(original)),
        keep=pl.Series(kept),
    )
