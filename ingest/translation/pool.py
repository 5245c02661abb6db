"""Segments to translated pairs: which packages serve them, and one translator per language."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import polars as pl

from ingest.config import TranslateConfig
from ingest.errors import ModelError
from ingest.frames import METHOD_TRANSLATED, PAIRS, TRANSLATED, schema
from ingest.translation.cache import Cache
from ingest.translation.engine import Progress, Translator, part_of
from ingest.translation.packages.install import Package, find, installed
from ingest.translation.packages.package import DETECTED_AS
from ingest.translation.packages.validate import require

COLUMNS = schema(PAIRS, TRANSLATED)


NEEDED = ("doc_id", "segment", "text", "lang", "keep")  # of segments


_NO_LANGUAGE = ("zxx", "und")


def wanted(segments: pl.DataFrame, to: str, source: str | None) -> pl.DataFrame:
    """The rows to translate: kept, and in the source's language or any but `to`."""
    lang = pl.col("lang")
    other = lang == source if source else ~lang.is_in([to, DETECTED_AS.get(to, to), *_NO_LANGUAGE])
    return segments.select(NEEDED).filter("keep", other)


def counts(segments: pl.DataFrame) -> dict[str, int]:
    """How many segments there are of each language."""
    return dict(segments.group_by("lang").len().sort("lang").iter_rows())


def routes(
    segments: Mapping[str, int], to: str, source: str | None
) -> tuple[dict[str, list[Package]], dict[str, str]]:
    """The packages for each language; and for those that have none, what to do about it.

    Args:
        segments: how many there are to translate, by language.
        to: language of the translations.
        source: the language that the caller named; it must have a package.

    Raises:
        ConfigError: the one named is that of the translations.
        ModelError: no language has a package, or the one named has none.
    """
    ways: dict[str, list[Package]] = {}
    without: dict[str, str] = {}
    for lang in [source] if source else segments:
        try:
            ways[lang] = find(lang, to)
        except ModelError as error:
            if source:
                raise
            without[lang] = str(error)
    if without and not ways:
        most = max(without, key=lambda lang: segments[lang])
        raise ModelError(without[most])
    return ways, without


def possible(to: str, source: str | None) -> None:
    """Raise at once where no segment of whatever pages could be translated.

    Raises:
        ConfigError: `source` is `to`.
        ModelError: no package translates into `to`, or from `source` to it.
        MissingExtraError: the extra `translate` is not installed.
    """
    require()
    if source:
        find(source, to)
    elif not any(package.to_lang == to for package in installed()):
        raise ModelError(
            f"no package translates into {to}; install one for the language of the pages, such as: "
            f"ingest models install {'en' if to == 'ar' else 'ar'} {to}"
        )


class TranslatorPool:
    """Translators by source language, each loaded when it is first needed.

    Args:
        ways: packages by source language.
        to: language of the translations.
        config: beam and length of pieces.
        cache: of what was said before.
    """

    def __init__(
        self,
        ways: Mapping[str, list[Package]],
        to: str,
        config: TranslateConfig | None,
        cache: Cache,
    ) -> None:
        self._ways, self._to, self._config, self._cache = ways, to, config, cache
        self._loaded: dict[str, Translator] = {}

    @property
    def tokens(self) -> int:
        """What the models have been given so far."""
        return sum(translator.tokens for translator in self._loaded.values())

    def translator(self, lang: str) -> Translator:
        """The one from this language."""
        if lang not in self._loaded:
            self._loaded[lang] = Translator(
                *self._ways[lang], config=self._config, cache=self._cache
            )
        return self._loaded[lang]

    def pairs(self, segments: pl.DataFrame, progress: Progress | None = None) -> pl.DataFrame:
        """A pairs frame of the segments whose language has a package, in their order."""
        rows = segments.filter(pl.col("lang").is_in(list(self._ways))).with_row_index("row")
        made = [pl.DataFrame(schema={"row": rows.schema["row"], **COLUMNS})]
        done = 0
        for (lang,), some in rows.group_by("lang", maintain_order=True):
            translator = self.translator(str(lang))
            tell = part_of(progress, done / len(rows), len(some) / len(rows))
            made.append(self._translated(some, translator, tell))
            done += len(some)
        return pl.concat(made).sort("row").drop("row")

    def _translated(
        self, rows: pl.DataFrame, translator: Translator, tell: Progress
    ) -> pl.DataFrame:
        """Pairs of segments of one language."""
        texts = rows["text"].to_list()
        found = translator.translate(texts, progress=tell)
        names = rows.select("doc_id", "segment").iter_rows()
        said = pl.DataFrame(
            [
                (_name(doc, segment, translator.name), made.text, made.score, list(made.flags))
                for (doc, segment), made in zip(names, found, strict=True)
            ],
            {name: COLUMNS[name] for name in ("pair_id", "target_text", "score", "flags")},
            orient="row",
        )
        return rows.hstack(said).select(
            "row",
            "pair_id",
            source_lang="lang",
            target_lang=pl.lit(self._to),
            source_text="text",
            target_text="target_text",
            source_doc="doc_id",
            target_doc=pl.lit(None, pl.String),
            source_segments=pl.concat_list("segment"),
            target_segments=pl.lit(None, pl.List(pl.Int64)),
            method=pl.lit(METHOD_TRANSLATED),
            model=pl.lit(translator.name),
            score="score",
            flags="flags",
        )


def _name(doc: str, segment: int, model: str) -> str:
    """The pair_id of a segment's translation."""
    return hashlib.sha256(f"{doc}\n{segment}\n{model}".encode()).hexdigest()[:16]
