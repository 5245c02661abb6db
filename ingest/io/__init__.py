"""File handling: atomic writes, locks, change detection, streams and Parquet."""
