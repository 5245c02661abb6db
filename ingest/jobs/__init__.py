"""The work behind each command: one module per command, files in, files out."""
