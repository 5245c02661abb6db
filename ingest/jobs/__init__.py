"""One module per command: files in, files out."""
