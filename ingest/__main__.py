"""`python -m ingest` is the command `ingest`, where scripts are not on the path."""

import sys

from ingest.cli import main

if __name__ == "__main__":
    sys.exit(main())
