"""Write NumPy arrays to files, with errors that say what went wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray


class _Writer:
    """A file that NumPy does not recognize as one.

    NumPy writes to a real file by itself, and says of a full disk only how much it could write.
    """

    def __init__(self, file: BinaryIO) -> None:
        self.write = file.write


def save_array(array: NDArray[Any], to: Path) -> None:
    """Write an array as a .npy file, as `numpy.save` does.

    Raises:
        OSError: the file cannot be written.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.npy"
    >>> save_array(np.arange(3), path)
    >>> np.load(path).tolist()
    [0, 1, 2]
    """
    with to.open("wb") as file:
        np.save(_Writer(file), array)
