"""The corrections that an unfinished run applies, in a file that shows when it is damaged."""

from __future__ import annotations

import secrets
from pathlib import Path

from ingest.io.durable import replace, sync_names
from ingest.io.file_kinds import read_file
from ingest.io.run_files import CORRECTIONS_FILE
from ingest.pipeline.checksums import seal, unseal

MARK = "has-corrections"
"""The name of an empty file that is there whenever there are corrections."""


class CorrectionsOfRun:
    """Corrections in the folder of the unfinished work.

    Args:
        folder: the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / CORRECTIONS_FILE
        self._mark = folder / MARK

    def read(self) -> bytes | None:
        """Return what `write` stored: none if it did not, and None if it is damaged or lost."""
        try:
            return unseal(read_file(self.path))
        except FileNotFoundError:
            return None if self._mark.exists() else b""
        except OSError:
            return None

    def write(self, data: bytes) -> None:
        """Store lines of corrections; none removes those that are stored."""
        if not data:
            self.path.unlink(missing_ok=True)
            self._mark.unlink(missing_ok=True)
            return
        self._mark.touch()  # first: it shows when the other file is lost
        sync_names(self._mark.parent)
        new = self.path.with_name(f".{CORRECTIONS_FILE}.{secrets.token_hex(4)}")
        new.write_bytes(seal(data))
        replace(new, self.path)
