"""Argos packages: found, downloaded, checked, installed."""
