"""From what the script rule saw and what a detector says to one language a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest.codepoints import unique_texts
from ingest.detection import detectors
from ingest.detection.page_prior import place, posterior, with_page
from ingest.detection.rules import candidates, rules
from ingest.detection.script import normal, owner
from ingest.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest.config import DetectConfig

_BORROWED = ("en", "ar")  # what fragments on pages of other languages are in most often
_CHINESE = {"zh-cn": "Hans", "zh-tw": "Hant"}  # langdetect's two profiles of one language
_ROWS = 1 << 13
_LEAST = 0.001  # a runner-up below this is none
_RUNNERS_UP = pl.List(pl.Struct({"lang": pl.String(), "score": pl.Float32()}))
_DECIDED = ("row", "script", "lang", "lang_score", "lang_by", "runners_up")
Floats = NDArray[np.float64]


def by_page(seen: pl.DataFrame) -> pl.DataFrame:
    """Add `main`, the script of the page, and give it the lines with as many words of another.

    Args:
        seen: what `script.read` returns and `page`, a number that ascends.
    """
    lang = pl.col("lang")
    sure = pl.col("rival").is_null() & ~lang.eq_missing("zxx")
    return (
        seen.with_columns(weight=pl.when(sure).then("letters").otherwise(0))
        .with_columns(total=pl.col("weight").sum().over("page", "script"))
        .with_columns(main=pl.col("script").get(pl.col("total").arg_max()).over("page"))
        .with_columns(swap=pl.col("rival").eq_missing(pl.col("main")) & ~lang.eq_missing("zxx"))
        .with_columns(script=pl.when("swap").then("rival").otherwise("script"))
        .with_columns(lang=pl.when("swap").then(owner(pl.col("script"))).otherwise("lang"))
        .drop("weight", "total", "swap")
    )


def answer(seen: pl.DataFrame, settings: DetectConfig, *, top: int = 0) -> pl.DataFrame:
    """Add `lang`, `lang_score`, `lang_by` and `runners_up` (empty lists where `top` is 0).

    Args:
        seen: what `script.read` returns; with `page` and `main` (`by_page`) the page counts.
        settings: detector and candidates.
        top: how many runners-up at most.
    """
    allowed = _allowed(settings.langs)
    detector = detectors.get(settings.detector)
    settled = (pl.col("lang") == "zxx") | pl.col("lang").is_in(list(allowed))
    frame = seen.with_row_index("row").with_columns(
        open=pl.col("lang").is_null(),
        lang=pl.when(settled).then("lang").otherwise(pl.lit("und")),
        lang_score=pl.when(settled).then(1.0).otherwise(0.0).cast(pl.Float32),
        lang_by=pl.when(settled).then(pl.lit("script")).otherwise(pl.lit("none")),
        runners_up=pl.lit([], dtype=_RUNNERS_UP),
    )
    decided = [frame.select(_DECIDED).clear()]
    for script in rules()["languages"]:
        langs = candidates(script)
        choice = np.array([_code(x) in allowed for x in langs], dtype=np.float64)
        if not choice.any():
            continue
        for part in _parts(frame.filter("open", pl.col("script") == script)):
            texts, which = unique_texts(part["clean"])
            likelihood = detector.log_likelihood(script, normal(texts))[which]
            decided.append(_decide(part, likelihood, langs, choice / choice.sum(), top))
    return frame.update(pl.concat(decided), on="row").drop("row", "open")


def _parts(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Whole pages, about _ROWS segments at a time: memory stays flat, tables stay in the cache."""
    rows = frame.select("^page$", at=pl.int_range(pl.len()))
    start = pl.col("at").first().over("page") if "page" in frame.columns else pl.col("at")
    sizes = rows.select(start // _ROWS).to_series().rle().struct.field("len")
    begin = 0
    for size in sizes:
        yield frame.slice(begin, size)
        begin += size


def _decide(
    part: pl.DataFrame, likelihood: Floats, langs: tuple[str, ...], base: Floats, top: int
) -> pl.DataFrame:
    """The columns of `_DECIDED` for texts of one script, whose candidates have a prior `base`."""
    # what is forbidden must not be the measure: beside it the rest may vanish
    likelihood = np.where(base > 0, likelihood, -np.inf)
    alone = found = posterior(likelihood, np.tile(base, (len(part), 1)))
    if "page" in part.columns:
        found = with_page(likelihood, base, _lean(langs, base), place(part))
    best = found.argmax(axis=1)
    model_too = pl.Series(best == alone.argmax(axis=1))
    script = part["script"]
    if set(langs) == set(_CHINESE):
        script = pl.Series([_CHINESE[langs[i]] for i in best], dtype=pl.String)
        found, langs, best = found.sum(axis=1, keepdims=True), ("zh",), np.zeros_like(best)
    names = pl.Series(langs)
    return pl.DataFrame(
        {
            "row": part["row"],
            "script": script,
            "lang": names.gather(best),
            "lang_score": pl.Series(found[np.arange(len(best)), best], dtype=pl.Float32),
            "lang_by": model_too.replace_strict({True: "model", False: "page"}),
            "runners_up": _runners_up(found, names, top),
        }
    )


def _runners_up(found: Floats, names: pl.Series, top: int) -> pl.Series:
    """The candidates after the first, best first: a list of `_RUNNERS_UP` for each text."""
    order = np.argsort(-found, axis=1, kind="stable")[:, 1 : top + 1]
    width = order.shape[1]
    if not width:
        return pl.repeat([], len(found), dtype=_RUNNERS_UP, eager=True)
    flat = pl.DataFrame(
        {
            "lang": names.gather(order.ravel()),
            "score": np.take_along_axis(found, order, axis=1).ravel().astype(np.float32),
        }
    )
    lists = flat.to_struct().reshape((-1, width)).arr.to_list()
    likely = pl.element().filter(pl.element().struct.field("score") >= _LEAST)
    return lists.list.eval(likely)


def _lean(langs: tuple[str, ...], base: Floats) -> Floats:
    """All on the script's most borrowed language, where it is a candidate."""
    lean = np.array([x in _BORROWED for x in langs]) * (base > 0)
    return lean.astype(np.float64)


def _code(candidate: str) -> str:
    return "zh" if candidate in _CHINESE else candidate


def _allowed(langs: tuple[str, ...]) -> set[str]:
    known = {_code(x) for script in rules()["languages"] for x in candidates(script)}
    known |= {s["lang"] for s in rules()["scripts"] if s["lang"]}
    if unknown := sorted(set(langs) - known):
        raise ConfigError(
            f"languages unknown: {', '.join(unknown)}; known: {' '.join(sorted(known))}"
        )
    return set(langs) or known
