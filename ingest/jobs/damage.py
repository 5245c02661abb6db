"""Say which file of a run is damaged, when a command fails because of it.

Commands check the columns of what they read, but not each value: that would take another pass over
a large run. So the values are looked at when something has gone wrong.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import ParamSpec, TypeVar

from ingest.errors import FrameError, IngestError, SourceError

P = ParamSpec("P")
T = TypeVar("T")


def names_damage(*parameters: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Decorate a function so that its errors name the file of a run that is damaged.

    Args:
        *parameters: names of its parameters that are the folder of a run, or a file in it.
    """

    def decorate(function: Callable[P, T]) -> Callable[P, T]:
        signature = inspect.signature(function)

        @wraps(function)
        def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
            given = signature.bind(*args, **kwargs).arguments
            with blame_damage(*(given[name] for name in parameters if name in given)):
                return function(*args, **kwargs)

        return wrapped

    return decorate


@contextmanager
def blame_damage(*places: object) -> Iterator[None]:
    """Name a damaged file in errors that are raised in the block.

    Args:
        *places: folders of runs, or files in them; anything else is left alone.

    Raises:
        SourceError: a file is damaged.
    """
    try:
        yield
    except (SourceError, FrameError) as error:
        damage = _find_first(places, all_values=error.__cause__ is not None)
        if damage and not any(damage.partition(": ")[0] in text for text in _texts(error)):
            error.add_note(damage)
        raise
    except IngestError:
        raise
    except BaseException as error:
        is_panic = type(error).__name__ == "PanicException"  # of Polars, which is not loaded here
        damage = None
        if isinstance(error, Exception) or is_panic:
            damage = _find_first(places, all_values=True)
        if damage is None:
            raise
        new = SourceError(damage)
        for note in getattr(error, "__notes__", []):
            new.add_note(note)
        raise new from error


def _texts(error: Exception) -> list[str]:
    return [str(error), *getattr(error, "__notes__", [])]


def _find_first(places: Collection[object], *, all_values: bool) -> str | None:
    from ingest.jobs.damaged_files import find_damage  # loads Polars

    for place in places:
        path = Path(place) if isinstance(place, (str, Path)) else Path()
        folder = path if path.is_dir() else path.parent
        if place and (damage := find_damage(folder, all_values=all_values)):
            return damage
    return None
