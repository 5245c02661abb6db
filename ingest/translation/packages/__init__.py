"""Argos translation packages: find, download, validate, install."""
