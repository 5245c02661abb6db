"""Decide one language per text, from the script rule and the likelihoods of a detector."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ingest._typing import F64
from ingest.codepoints import first_of_each
from ingest.detection.detectors import load_detector
from ingest.detection.page_prior import posterior, posterior_on_page, weigh_segments
from ingest.detection.rules import candidate_languages, load_rules
from ingest.detection.script import normalize, only_language
from ingest.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest.config import DetectConfig

_BORROWED = ("en", "ar")  # the usual languages of foreign fragments on a page
_CHINESE = {"zh-cn": "Hans", "zh-tw": "Hant"}  # langdetect has two profiles for one language
_CHUNK = 1 << 13  # segments
_MIN_RUNNER_UP = 0.001  # runners-up with a lower probability are left out
_RUNNERS_UP = pl.List(pl.Struct({"lang": pl.String(), "score": pl.Float32()}))
_DECISION_COLUMNS = ("row", "script", "lang", "lang_score", "lang_by", "runners_up")


def resolve_rival_scripts(texts: pl.DataFrame) -> pl.DataFrame:
    """Give lines with as many words of two scripts the main script of their page.

    Args:
        texts: the result of `script.detect_scripts` and `page`, an ascending number.

    Returns:
        The same with `main`, the main script of the page.
    """
    lang = pl.col("lang")
    certain = pl.col("rival").is_null() & ~lang.eq_missing("zxx")
    return (
        texts.with_columns(weight=pl.when(certain).then("letters").otherwise(0))
        .with_columns(total=pl.col("weight").sum().over("page", "script"))
        .with_columns(main=pl.col("script").get(pl.col("total").arg_max()).over("page"))
        .with_columns(swap=pl.col("rival").eq_missing(pl.col("main")) & ~lang.eq_missing("zxx"))
        .with_columns(script=pl.when("swap").then("rival").otherwise("script"))
        .with_columns(lang=pl.when("swap").then(only_language(pl.col("script"))).otherwise("lang"))
        .drop("weight", "total", "swap")
    )


def decide_languages(texts: pl.DataFrame, config: DetectConfig, *, top: int = 0) -> pl.DataFrame:
    """Return `script`, `lang`, `lang_score`, `lang_by`, `runners_up` (empty lists if `top` is 0).

    Args:
        texts: the result of `script.detect_scripts`; with the columns of `resolve_rival_scripts`,
            the page counts as a prior.
        config: detector and candidates.
        top: the most runners-up to return.

    Raises:
        ConfigError: a language or the detector is unknown.
        MissingExtraError: the detector's package is not installed.
    """
    allowed = _allowed_languages(config.langs)
    detector = load_detector(config.detector)
    decided = (pl.col("lang") == "zxx") | pl.col("lang").is_in(list(allowed))
    frame = texts.with_row_index("row").with_columns(
        undecided=pl.col("lang").is_null(),
        lang=pl.when(decided).then("lang").otherwise(pl.lit("und")),
        lang_score=pl.when(decided).then(1.0).otherwise(0.0).cast(pl.Float32),
        lang_by=pl.when(decided).then(pl.lit("script")).otherwise(pl.lit("none")),
        runners_up=pl.lit([], dtype=_RUNNERS_UP),
    )
    decisions = [frame.select(_DECISION_COLUMNS).clear()]
    present = set(frame.filter("undecided")["script"])
    for script in filter(present.__contains__, load_rules()["languages"]):
        langs = candidate_languages(script)
        is_allowed = np.array([_base_code(x) in allowed for x in langs], dtype=np.float64)
        if not is_allowed.any():
            continue
        prior = is_allowed / is_allowed.sum()
        for chunk in _chunks(frame.filter("undecided", pl.col("script") == script)):
            first, index = first_of_each(chunk["clean"])
            distinct = chunk.select("clean", "is_usual")[first]
            likelihood = detector.log_likelihood(script, normalize(distinct))
            decisions.append(_decide(chunk, likelihood.take(index, axis=1), langs, prior, top))
    decided_rows = pl.concat(decisions)
    index = np.arange(len(frame))
    index[decided_rows["row"].to_numpy()] = len(frame) + np.arange(len(decided_rows))
    return pl.concat([frame.select(_DECISION_COLUMNS), decided_rows])[index].drop("row")


def _chunks(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Yield whole pages, about _CHUNK segments at a time, so memory use stays constant."""
    rows = frame.select("^page$", row=pl.int_range(pl.len()))
    start = pl.col("row").first().over("page") if "page" in frame.columns else pl.col("row")
    sizes = rows.select(start // _CHUNK).to_series().rle().struct.field("len")
    begin = 0
    for size in sizes:
        yield frame.slice(begin, size)
        begin += size


def _decide(
    texts: pl.DataFrame, likelihood: F64, langs: tuple[str, ...], prior: F64, top: int
) -> pl.DataFrame:
    """Compute the columns of `_DECISION_COLUMNS` for texts of one script."""
    # An excluded language must not set the scale: next to it, the others could underflow to 0.
    likelihood[prior == 0] = -np.inf
    if "page" in texts.columns:
        lean = _borrowed_languages(langs, prior)
        probability = posterior_on_page(likelihood, prior, lean, weigh_segments(texts))
    else:
        probability = posterior(likelihood, prior)
    best = probability.argmax(axis=0)
    model_agrees = (best == likelihood.argmax(axis=0)).astype(np.uint32)
    script = texts["script"]
    if set(langs) == set(_CHINESE):
        script = pl.Series([_CHINESE[langs[i]] for i in best], dtype=pl.String)
        probability = probability.sum(axis=0, keepdims=True)
        langs, best = ("zh",), np.zeros_like(best)
    names = pl.Series(langs)
    return pl.DataFrame(
        {
            "row": texts["row"],
            "script": script,
            "lang": names.gather(best),
            "lang_score": pl.Series(probability[best, np.arange(len(best))], dtype=pl.Float32),
            "lang_by": pl.Series(["page", "model"]).gather(model_agrees),
            "runners_up": _runners_up(probability, names, top),
        }
    )


def _runners_up(probability: F64, names: pl.Series, top: int) -> pl.Series:
    """List the candidates after the first, best first: type `_RUNNERS_UP`."""
    width = min(top, len(probability) - 1)
    if not width:
        return pl.repeat([], probability.shape[1], dtype=_RUNNERS_UP, eager=True)
    order = np.argsort(-probability.T, axis=1, kind="stable")[:, 1 : width + 1]
    flat = pl.DataFrame(
        {
            "lang": names.gather(order.ravel()),
            "score": np.take_along_axis(probability.T, order, axis=1).ravel().astype(np.float32),
        }
    )
    lists = flat.to_struct().reshape((-1, width)).arr.to_list()
    likely = pl.element().filter(pl.element().struct.field("score") >= _MIN_RUNNER_UP)
    return lists.list.eval(likely)


def _borrowed_languages(langs: tuple[str, ...], prior: F64) -> F64:
    """1 for the candidate that other languages of the script borrow from most, 0 for the others."""
    lean = np.array([x in _BORROWED for x in langs]) * (prior > 0)
    return lean.astype(np.float64)


def _base_code(candidate: str) -> str:
    return "zh" if candidate in _CHINESE else candidate


def _allowed_languages(langs: tuple[str, ...]) -> set[str]:
    rules = load_rules()
    known = {_base_code(x) for script in rules["languages"] for x in candidate_languages(script)}
    known |= {s["lang"] for s in rules["scripts"] if s["lang"]}
    if unknown := sorted(set(langs) - known):
        raise ConfigError(
            f"unknown languages: {', '.join(unknown)}; choose from {' '.join(sorted(known))}"
        )
    return set(langs) or known
