"""Say which file of a run is damaged, when a command fails because of it.

Commands check the columns of what they read, but not each value: that would take another pass over
a large run. So the values are looked at when something has gone wrong.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from ingest.errors import FrameError, IngestError, SourceError
from ingest.io.remake import DamagedFileError
from ingest.io.run_files import RUN_FILE, describe_unfinished_run

P = ParamSpec("P")
T = TypeVar("T")


def names_damage(*parameters: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorate a function so that its errors name the file of a run that is damaged.

    Args:
        *parameters: names of its parameters that are the folder of a run, or a file in it.

    >>> names_damage("out")(lambda source: None)
    Traceback (most recent call last):
    ...
    TypeError: <lambda> has no parameter out
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        signature = inspect.signature(function)
        if unknown := set(parameters) - set(signature.parameters):
            raise TypeError(f"{function.__name__} has no parameter {min(unknown)}")

        @wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
            given = signature.bind(*args, **kwargs).arguments
            with blame_damage(*(given[name] for name in parameters if name in given)):
                return function(*args, **kwargs)

        return wrapped

    return decorate


@contextmanager
def blame_damage(*places: object) -> Iterator[None]:
    """Raise one error about a damaged file instead of those that it causes in the block.

    So it is if a folder has no run because the run has not finished.

    Args:
        *places: folders of runs, or files in them; anything else is left alone.

    Raises:
        SourceError: a file is damaged, or a run has not finished.
    """
    try:
        yield
    except DamagedFileError:
        raise
    except (SourceError, FrameError) as error:
        # without a cause, it may be about what the user wants, such as a page that is not there
        has_cause = error.__cause__ is not None
        is_frame = isinstance(error, FrameError)
        of_run = not (has_cause or is_frame)
        if is_frame:  # elsewhere, it is not damage that a file of some name lacks a column
            places = tuple(place for place in places if _is_in_run(place))
        if problem := _find_first(places, all_values=has_cause, only_of_run=of_run):
            raise _with_notes(DamagedFileError(problem), error) from error
        raise
    except IngestError:
        raise
    except BaseException as error:
        is_panic = type(error).__name__ == "PanicException"  # of Polars, which is not loaded here
        if not (isinstance(error, Exception) or is_panic):
            raise
        if problem := _find_first(places, all_values=True):
            raise DamagedFileError(problem) from error
        raise


def _is_in_run(place: object) -> bool:
    if not isinstance(place, (str, os.PathLike)):
        return False
    return any(os.path.lexists(folder / RUN_FILE) for folder in (Path(place), Path(place).parent))


def _with_notes(new: Exception, error: Exception) -> Exception:
    for note in getattr(error, "__notes__", []):
        new.add_note(note)
    return new


def _find_first(
    places: Collection[object], *, all_values: bool, only_of_run: bool = False
) -> str | None:
    from ingest.jobs.damaged_files import TABLES, TABLES_OF_RUN, find_damage  # loads Polars

    names = TABLES_OF_RUN if only_of_run else TABLES
    for place in places:
        if isinstance(place, (str, os.PathLike)):
            path = Path(place)
            if unfinished := describe_unfinished_run(path):
                return unfinished
            if damage := find_damage(path, all_values=all_values, names=names):
                return damage
    return None
