"""Texts by language in one value, as Hugging Face's translation features have them.

`Translation` is `{"ar": "…", "en": "…"}`. `TranslationVariableLanguages` is
`{"language": ["ar", "en"], "translation": ["…", "…"]}`. In CSV both are printed as Python does.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from typing import Any

import polars as pl

from ingest.pairs.columns import find_text_columns
from ingest.pairs.names import parse_name

_LANGUAGES, _TEXTS = "language", "translation"
_MAX_CHARS = 1 << 20  # the parser of Python needs much memory


def texts_by_language(value: Any) -> dict[str, str | None] | None:
    """Return the texts of a translation by language; None if it is something else.

    >>> texts_by_language({"language": ["ar", "en"], "translation": ["نعم", "Yes"]})
    {'ar': 'نعم', 'en': 'Yes'}
    >>> texts_by_language({"name": "x"}) is None
    True
    """
    if not isinstance(value, Mapping):
        return None
    if set(value) == {_LANGUAGES, _TEXTS}:
        langs, texts = value[_LANGUAGES], value[_TEXTS]
        if not (isinstance(langs, list) and isinstance(texts, list) and len(langs) == len(texts)):
            return None
        # the first text of a language counts
        value = dict(zip(map(str, reversed(langs)), reversed(texts), strict=True))
        value = dict(reversed(value.items()))
    if not all(text is None or isinstance(text, str) for text in value.values()):
        return None
    texts = {str(name): text for name, text in value.items()}
    return texts if _names_texts(list(texts)) else None


def _names_texts(names: list[str]) -> bool:
    """Return whether names are those of languages, or of source and target."""
    langs = [name for name in names if (meaning := parse_name(name)) and meaning.lang]
    return len(langs) > 1 or find_text_columns(names, None) is not None


def is_dictionary(cell: str) -> bool:
    """Return whether a text is a printed translation.

    >>> is_dictionary("{'ar': 'نعم', 'en': 'Yes'}"), is_dictionary("{name}")
    (True, False)
    """
    return parse_dictionary(cell) is not None


def parse_dictionary(cell: str) -> dict[str, str | None] | None:
    """Parse a translation that was printed as JSON, or by Python or pandas; None if it is none.

    >>> parse_dictionary("{'ar': 'نعم', 'en': 'Yes'}")
    {'ar': 'نعم', 'en': 'Yes'}
    >>> parse_dictionary("{'language': array(['ar', 'en']), 'translation': ['a', 'b']}")
    {'ar': 'a', 'en': 'b'}
    """
    text = cell.strip()
    if not (text.startswith("{") and text.endswith("}")) or len(text) > _MAX_CHARS:
        return None
    try:
        return texts_by_language(json.loads(text))
    except (ValueError, RecursionError):
        pass
    try:
        return texts_by_language(_value(ast.parse(text, mode="eval").body))
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None


def _value(node: ast.expr) -> Any:
    """Return the value of an expression of dictionaries, lists, arrays and texts."""
    if isinstance(node, ast.Dict) and all(node.keys):
        keys = [_value(key) for key in node.keys if key]
        return dict(zip(keys, map(_value, node.values), strict=True))
    if isinstance(node, ast.List | ast.Tuple):
        return [_value(item) for item in node.elts]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "array":
        return _value(node.args[0]) if node.args else []
    return ast.literal_eval(node)


def unnest_translation(frame: pl.DataFrame) -> pl.DataFrame:
    """Turn a column of translations into one column per language.

    It is a struct column, or a column `translation` or `translations` of printed dictionaries.
    """
    for name, dtype in frame.schema.items():
        texts = None
        if isinstance(dtype, pl.Struct):
            texts = _unnest_struct(frame[name], dtype)
        elif dtype == pl.String and name.strip().lower() in ("translation", "translations"):
            texts = _parse_column(frame[name])
        if texts is not None:
            return frame.drop(name, *texts.columns, strict=False).hstack(texts)
    return frame


def _unnest_struct(column: pl.Series, dtype: pl.Struct) -> pl.DataFrame | None:
    fields = {field.name: field.dtype for field in dtype.fields}
    if set(fields) == {_LANGUAGES, _TEXTS} and all(isinstance(t, pl.List) for t in fields.values()):
        rows = [texts_by_language(value) or {} for value in column]
        return _frame(rows)
    is_translation = column.name == _TEXTS or _names_texts(list(fields))
    return column.struct.unnest() if is_translation else None


def _parse_column(column: pl.Series) -> pl.DataFrame | None:
    first = next((value for value in column if value), None)
    if first is None or not is_dictionary(first):
        return None
    return _frame([parse_dictionary(value or "") or {} for value in column])


def _frame(rows: list[dict[str, str | None]]) -> pl.DataFrame:
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: [row.get(name) for row in rows] for name in names}
    return pl.DataFrame(columns, dict.fromkeys(names, pl.String()))
