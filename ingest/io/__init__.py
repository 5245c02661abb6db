"""Files: written whole or not at all, locked, watched while they are read, streamed."""
