"""What `ingest run --plan` prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.text import count_noun, safe

if TYPE_CHECKING:
    from ingest.pipeline.estimate import Estimate

_CORES = (1, 16, 256)
_UNITS = ((1e15, "PB"), (1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def plan_lines(estimate: Estimate) -> list[str]:
    """Return the lines of a plan."""
    lines = [
        f"{count_noun(estimate.inputs, 'input')}, {size(estimate.stored)} stored, "
        f"{count_noun(estimate.shards, 'shard')}, the largest {size(estimate.largest)}",
        *estimate.uncut,
    ]
    lines += _in_error_lines(estimate)
    if not estimate.sampled_stored:
        return [*lines, f"no estimate: {_why_no_estimate(estimate)}"]
    lines += [
        f"start-up: {duration(estimate.startup)}, to load code and models and to cut the sources "
        "into shards",
        f"timed: {_describe_sample(estimate)} and "
        f"{count_noun(estimate.sampled_pages, 'page')} in "
        f"{duration(estimate.shard_time + estimate.joint_time)}",
        f"memory: about {size(estimate.memory)} per worker",
        f"disk: about {size(estimate.scale(estimate.output))} for OUT, and "
        f"{size(estimate.scale(estimate.working))} of working files until it is complete",
        "",
        "cores   this run     in an hour",
    ]
    lines += [
        f"{cores:>5}   {duration(estimate.time_on(cores)):<10}   "
        f"{size(estimate.stored_per_hour(cores))}"
        for cores in _CORES
    ]
    return [*lines, *_limit_lines(estimate)]


def _describe_sample(estimate: Estimate) -> str:
    stored = size(estimate.sampled_stored)
    if estimate.first_of:
        return f"the first {stored} of {safe(estimate.first_of)}"
    return f"{count_noun(estimate.sampled, 'shard')} with {stored}"


def _in_error_lines(estimate: Estimate) -> list[str]:
    """Say which pages are not counted."""
    if not estimate.in_error:
        return []
    count = f"{count_noun(estimate.in_error, 'page')} in error"
    such_as = " such as" if estimate.in_error > 1 else ""
    uri, error = estimate.first_in_error
    return [f"left out of the estimate: {count},{such_as} {safe(uri)}: {safe(error)}"]


def _why_no_estimate(estimate: Estimate) -> str:
    if estimate.is_cut_off:
        return "pages took too long or crashed; a run finds them and goes on"
    if estimate.in_error:
        return "no other page was read"
    if estimate.is_read_once:
        return "standard input and pipes can be read only once; save them to a file"
    return "all of it is empty"


def _limit_lines(estimate: Estimate) -> list[str]:
    """Say why more cores do not help, where that is so."""
    if estimate.shards == 1:
        return ["more cores do not help: there is one shard, and one core works on it"]
    if estimate.time_on(_CORES[-2]) > estimate.time_on(_CORES[-1]):
        return []
    largest = f"{size(estimate.largest)}, about {duration(estimate.largest_time())}"
    return [f"no run is faster than its largest shard ({largest}), which one core works on"]


def size(count: float) -> str:
    """Return a number of bytes as people read it.

    >>> size(0), size(999), size(12_345_678), size(3e15)
    ('0 bytes', '999 bytes', '12 MB', '3.0 PB')
    """
    for factor, unit in _UNITS:
        if count >= factor:
            amount = count / factor
            return f"{amount:.1f} {unit}" if amount < 10 else f"{amount:,.0f} {unit}"
    return count_noun(round(count), "byte")


def duration(seconds: float) -> str:
    """Return a time as people read it.

    >>> duration(0.52), duration(95), duration(7_300), duration(400_000)
    ('0.5 s', '1.6 min', '2.0 h', '4.6 days')
    """
    for factor, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= factor:
            return f"{seconds / factor:,.1f} {unit}"
    return f"{seconds:.1f} s"
