"""The namespace `ingest` of Polars: `import ingest.polars` registers it.

pl.col("text").ingest.lang()
pl.scan_parquet("pages.parquet").ingest.annotate(text="body").sink_parquet("segments.parquet")
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from ingest.annotation import annotate
from ingest.detection import IDENTIFIED, identify

__all__ = ["DataFrameNamespace", "ExprNamespace", "LazyFrameNamespace"]


@pl.api.register_expr_namespace("ingest")
class ExprNamespace:
    """What can be asked about a column of texts."""

    def __init__(self, expr: pl.Expr) -> None:
        self._expr = expr

    def lang(self, *, langs: Sequence[str] = (), detector: str = "langdetect-exact") -> pl.Expr:
        """The language of each text by itself: the field `lang` of `ingest.identify`.

        >>> import ingest.polars
        >>> frame = pl.DataFrame({"text": ["Wo ist der Bahnhof?", "أين المحطة؟"]})
        >>> frame.select(pl.col("text").ingest.lang())["text"].to_list()
        ['de', 'ar']
        """

        def languages(texts: pl.Series) -> pl.Series:
            found = identify(texts, langs=langs, detector=detector, top=0)
            return found.struct.field("lang").alias(texts.name)

        return self._expr.map_batches(languages, return_dtype=pl.String, is_elementwise=True)

    def identify(
        self, *, langs: Sequence[str] = (), detector: str = "langdetect-exact", top: int = 3
    ) -> pl.Expr:
        """The language of each text by itself, as the structs of `ingest.identify`.

        >>> import ingest.polars
        >>> frame = pl.DataFrame({"text": ["Wo ist der Bahnhof?"]})
        >>> frame.select(pl.col("text").ingest.identify()).unnest("text").columns
        ['script', 'lang', 'lang_score', 'lang_by', 'runners_up']
        """

        def structs(texts: pl.Series) -> pl.Series:
            return identify(texts, langs=langs, detector=detector, top=top)

        return self._expr.map_batches(structs, return_dtype=IDENTIFIED, is_elementwise=True)


@pl.api.register_dataframe_namespace("ingest")
class DataFrameNamespace:
    """What can be done with a frame of texts."""

    def __init__(self, frame: pl.DataFrame) -> None:
        self._frame = frame

    def annotate(self, **options: Any) -> pl.DataFrame:
        """Label the text of each row. `options` are the arguments of `ingest.annotate`.

        >>> import ingest.polars
        >>> frame = pl.DataFrame({"body": ["The boat sails at seven."]})
        >>> frame.ingest.annotate(text="body", body_text=True).select("lang", "role").row(0)
        ('en', 'body')
        """
        return annotate(self._frame, **options)


@pl.api.register_lazyframe_namespace("ingest")
class LazyFrameNamespace:
    """What can be done with a lazy frame of texts."""

    def __init__(self, frame: pl.LazyFrame) -> None:
        self._frame = frame

    def annotate(self, **options: Any) -> pl.LazyFrame:
        """Label the text of each row, in batches. `options` are the arguments of `ingest.annotate`.

        >>> import ingest.polars
        >>> frame = pl.LazyFrame({"body": ["The boat sails at seven."]})
        >>> frame.ingest.annotate(text="body").select("row", "lang").collect().row(0)
        (0, 'en')
        """
        return annotate(self._frame, **options)
