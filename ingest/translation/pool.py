"""Translate segments of several languages into pairs: find the packages, load them on demand."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import polars as pl

from ingest.config import TranslateConfig
from ingest.errors import ModelError
from ingest.frames import METHOD_TRANSLATED, PAIRS, TRANSLATED, schema
from ingest.translation.cache import Cache
from ingest.translation.engine import Translator, scale_progress
from ingest.translation.package_translator import FractionProgress
from ingest.translation.packages.install import find
from ingest.translation.packages.locations import installed
from ingest.translation.packages.package import DETECTED_AS, Package
from ingest.translation.packages.validate import require_extra

COLUMNS = schema(PAIRS, TRANSLATED)
NEEDED = ("doc_id", "segment", "text", "lang", "keep")  # columns of segments
NO_LANGUAGE = ("zxx", "und")
MISSING = pl.Schema({"package": pl.String(), "key": pl.Binary(), "text": pl.String()})
"""The hash of a package, the key in the cache, and a text for `translate_attempts`."""


def select_translatable(segments: pl.DataFrame, to: str, source: str | None) -> pl.DataFrame:
    """Select the kept segments in the source language, or in any language but `to`."""
    lang = pl.col("lang")
    foreign = lang == source if source else ~lang.is_in([to, DETECTED_AS.get(to, to), *NO_LANGUAGE])
    return segments.select(NEEDED).filter("keep", foreign)


def count_by_language(segments: pl.DataFrame) -> dict[str, int]:
    """Count the segments of each language."""
    return dict(segments.group_by("lang").len().sort("lang").iter_rows())


def find_routes(
    counts: Mapping[str, int], to: str, source: str | None
) -> tuple[dict[str, list[Package]], dict[str, str]]:
    """Find the packages for each language.

    Args:
        counts: number of segments to translate, by language.
        to: target language.
        source: the only source language, if the caller named one; it must have a package.

    Returns:
        The packages by language; and for each language without a package, an error message that
        says what to install.

    Raises:
        ConfigError: `source` equals `to`.
        ModelError: no language has a package, or `source` has none.
    """
    routes: dict[str, list[Package]] = {}
    missing: dict[str, str] = {}
    for lang in [source] if source else counts:
        try:
            routes[lang] = find(lang, to)
        except ModelError as error:
            if source:
                raise
            missing[lang] = str(error)
    if missing and not routes:
        most_frequent = max(missing, key=lambda lang: counts[lang])
        raise ModelError(missing[most_frequent])
    return routes, missing


def describe_shipped(packages: Iterable[Package]) -> list[str]:
    """Say what the packages that ship with ingest are for, and how to get better ones.

    Returns:
        One message if any of the packages ships with ingest, else none.
    """
    shipped = sorted(
        {(p.from_lang, p.to_lang): p.name for p in packages if p.origin == "shipped"}.items()
    )
    if not shipped:
        return []
    are = "ship with ingest and are" if len(shipped) > 1 else "ships with ingest and is"
    installs = "; ".join(f"ingest models install {start} {end}" for (start, end), _ in shipped)
    return [
        f"{', '.join(name for _, name in shipped)} {are} meant for a rough idea of a page and as "
        "evidence for alignment, not for text to publish or to train on; to install the official "
        f"package, which is better: {installs}"
    ]


def require_package(to: str, source: str | None) -> None:
    """Raise if no page could be translated, so that none is read in vain.

    Raises:
        ConfigError: `source` equals `to`.
        ModelError: no package translates into `to`, or from `source` into it.
        MissingExtraError: the extra `translate` is not installed.
    """
    require_extra()
    if source:
        find(source, to)
    elif not any(package.to_lang == to for package in installed()):
        raise ModelError(
            f"no package translates into {to}; install one for the language of the pages, such as: "
            f"ingest models install {'en' if to == 'ar' else 'ar'} {to}"
        )


class TranslatorPool:
    """One translator per source language, each loaded when first needed.

    Args:
        routes: packages by source language.
        to: target language.
        config: beam size and length of the pieces.
        cache: the translation cache.
    """

    def __init__(
        self,
        routes: Mapping[str, list[Package]],
        to: str,
        config: TranslateConfig | None,
        cache: Cache,
    ) -> None:
        self._routes, self._to, self._config, self._cache = routes, to, config, cache
        self._translators: dict[str, Translator] = {}
        self.tokens_elsewhere = 0  # that were translated by other processes

    @property
    def tokens(self) -> int:
        """Number of source tokens that the models have translated so far."""
        here = sum(translator.tokens for translator in self._translators.values())
        return here + self.tokens_elsewhere

    def find_missing(self, segments: pl.DataFrame, step: int) -> pl.DataFrame:
        """Find what the models would be given first for segments, and the cache does not have.

        Args:
            segments: segments to translate.
            step: number of the package in each route, from 0.

        Returns:
            A frame with columns MISSING, sorted by `package`, the longest texts first.
        """
        found = [pl.DataFrame(schema=MISSING)]
        for (lang,), group in segments.group_by("lang", maintain_order=True):
            route = self._routes.get(str(lang), ())
            if step < len(route):
                missing = self.translator(str(lang)).find_missing(group["text"].to_list(), step)
                columns = {"key": list(missing), "text": list(missing.values())}
                frame = pl.DataFrame(columns, {name: MISSING[name] for name in columns})
                found.append(
                    frame.select(package=pl.lit(route[step].sha256), key="key", text="text")
                )
        chars = pl.col("text").str.len_chars()
        return pl.concat(found).sort("package", chars, "text", descending=[False, True, False])

    def translator(self, lang: str) -> Translator:
        """Return the translator from a language, loading it if necessary."""
        if lang not in self._translators:
            self._translators[lang] = Translator(
                *self._routes[lang], config=self._config, cache=self._cache
            )
        return self._translators[lang]

    def translate_segments(
        self, segments: pl.DataFrame, progress: FractionProgress | None = None
    ) -> pl.DataFrame:
        """Translate the segments whose language has a package into a pairs frame, in order."""
        rows = segments.filter(pl.col("lang").is_in(list(self._routes))).with_row_index("row")
        frames = [pl.DataFrame(schema={"row": rows.schema["row"], **COLUMNS})]
        done = 0
        for (lang,), group in rows.group_by("lang", maintain_order=True):
            group_progress = scale_progress(progress, done / len(rows), len(group) / len(rows))
            frames.append(self._translate_group(group, self.translator(str(lang)), group_progress))
            done += len(group)
        return pl.concat(frames).sort("row").drop("row")

    def _translate_group(
        self, rows: pl.DataFrame, translator: Translator, progress: FractionProgress
    ) -> pl.DataFrame:
        """Translate segments of one language."""
        translations = translator.translate(rows["text"].to_list(), progress=progress)
        segments = rows.select("doc_id", "segment").iter_rows()
        columns = pl.DataFrame(
            [
                (_pair_id(doc, segment, translator.name), t.text, t.score, list(t.flags))
                for (doc, segment), t in zip(segments, translations, strict=True)
            ],
            {name: COLUMNS[name] for name in ("pair_id", "target_text", "score", "flags")},
            orient="row",
        )
        return rows.hstack(columns).select(
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


def _pair_id(doc: str, segment: int, model: str) -> str:
    return hashlib.sha256(f"{doc}\n{segment}\n{model}".encode()).hexdigest()[:16]
