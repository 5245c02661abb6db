"""The command line: `ingest COMMAND`."""

from ingest.cli.app import build_parser, main
from ingest.cli.options import NOT_WRITTEN, OK, PAGES_IN_ERROR, WRONG_CALL

__all__ = ["NOT_WRITTEN", "OK", "PAGES_IN_ERROR", "WRONG_CALL", "build_parser", "main"]
