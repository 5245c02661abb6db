"""Which split of a data set pairs come from, by the names of files and the values of a column."""

from __future__ import annotations

import re

import polars as pl

TRAIN, DEV, TEST = "train", "dev", "test"
_NAMES = {
    **dict.fromkeys(("train", "training", "trn"), TRAIN),
    **dict.fromkeys(("dev", "valid", "validation", "val", "development", "tune", "newsdev"), DEV),
    **dict.fromkeys(("test", "testing", "devtest", "eval", "evaluation", "heldout", "newstest",
                     "tst"), TEST),
}  # fmt: skip
_WORD = re.compile(r"[a-z]+")


def parse_split(name: str) -> str | None:
    """Return train, dev or test for the name of a split; None if it is not one.

    >>> parse_split("validation"), parse_split("newstest2019"), parse_split("2019")
    ('dev', 'test', None)
    >>> parse_split("train_and_test") is None
    True
    """
    splits = {_NAMES[word] for word in _WORD.findall(name.lower()) if word in _NAMES}
    if splits == {DEV, TEST}:  # such as dev-test
        return TEST
    return splits.pop() if len(splits) == 1 else None


def split_of_path(path: str) -> str | None:
    """Return the split that a file, or else the nearest folder, is named by.

    >>> split_of_path("dev.en"), split_of_path("data/test/part-1.parquet")
    ('dev', 'test')
    >>> split_of_path("corpus.en") is None
    True
    """
    return next(filter(None, map(parse_split, reversed(path.replace("\\", "/").split("/")))), None)


def parse_splits(column: pl.Series) -> pl.Series:
    """Return the split for each value of a column, null if it is not the name of one.

    >>> parse_splits(pl.Series(["train", "VAL", "other", None])).to_list()
    ['train', 'dev', None, None]
    """
    values = {value: parse_split(value) for value in column.unique().drop_nulls()}
    return column.replace_strict(values, default=None, return_dtype=pl.String)
