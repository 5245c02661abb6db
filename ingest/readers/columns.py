"""Find the columns of a table that contain pages, by the names that scrapers and corpora use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import polars as pl

from ingest.config import ReadConfig
from ingest.errors import SourceError

# Names as `_normal` writes them, the most specific first within each list.
_HTML = (
    "html", "rawhtml", "pagehtml", "htmlcontent", "contenthtml", "bodyhtml", "pagesource",
    "articlehtml", "htmlbody", "fullhtml", "htmltext", "contentrendered", "innerhtml", "outerhtml",
)  # fmt: skip
_PLAIN = (
    "text", "content", "body", "rawcontent", "rawtext", "article", "articletext", "articlebody",
    "fulltext", "pagetext", "maintext", "maincontent", "plaintext", "bodytext", "contenttext",
    "textcontent", "contentplain", "cleantext", "cleanedtext", "cleancontent", "extractedtext",
    "articlecontent", "newstext", "newscontent", "newsbody", "storytext", "posttext", "postcontent",
    "postbody", "fullcontent", "bodyplain", "textbody", "messagetext", "message", "selftext",
    "النص", "نص", "المحتوى", "محتوى", "المتن", "متن", "المقال", "مقال", "المقالة", "مقالة",
    "نصالمقال", "نصالخبر", "نصالمحتوى", "الخبر", "نصالمنشور", "المنشور", "التغريدة", "تغريدة",
)  # fmt: skip
_MARKDOWN = (
    "markdown", "md", "markdowncontent", "contentmarkdown", "textmarkdown", "markdowntext",
    "bodymarkdown", "rawmarkdown", "fitmarkdown", "contentmd", "mdcontent", "textmd",
)  # fmt: skip
_GENERAL = ("page", "document", "doc", "story", "paragraph", "paragraphs", "sentence", "post",
            "tweet", "comment", "passage")  # fmt: skip
_TEXT = (*_PLAIN, *_MARKDOWN, *_GENERAL)
_URL = (
    "url", "uri", "link", "sourceurl", "canonicalurl", "pageurl", "articleurl", "documenturl",
    "warcurl", "permalink", "href", "finalurl", "originalurl", "requestedurl", "targeturi", "loc",
    "الرابط", "رابط",
)  # fmt: skip
_ID = ("id", "docid", "documentid", "articleid", "pageid", "uuid", "guid", "key", "المعرف")
_TITLE = ("title", "headline", "pagetitle", "articletitle", "newstitle", "posttitle",
          "العنوان", "عنوان", "عنوانالمقال", "عنوانالخبر")  # fmt: skip
_PUBLISHED = (
    "published", "datepublished", "publisheddate", "publishedat", "publishedtime", "publishdate",
    "publishtime", "publicationdate", "pubdate", "dateposted", "date", "datetime",
    "تاريخالنشر", "التاريخ", "تاريخ",
)  # fmt: skip
_AUTHOR = ("author", "authors", "authorname", "byline", "creator", "writer",
           "الكاتب", "كاتب", "المؤلف", "بقلم")  # fmt: skip
# Objects inside a row that say something about its page.
_ABOUT_PAGE = ("metadata", "meta", "page", "article", "document", "source")
# Objects whose text is not that of the page.
_NOT_PAGES = (
    "image", "images", "thumbnail", "media", "video", "author", "publisher", "comment", "comments",
    "related", "excerpt", "title", "seo", "user",
)  # fmt: skip
_NOT_IN_NAMES = re.compile(r"[\s_\-.\u0640\u064b-\u0652]")
_TEXT_TYPES = (pl.String, pl.Binary, pl.Categorical, pl.Enum)
_MAX_DEPTH = 4  # names in a dotted path
_MAX_NAMES = 200  # dotted paths of one row
_MAX_LISTED = 20  # column names in an error message


class Columns(NamedTuple):
    """The names of the columns with the HTML and text of pages, and of those about them."""

    html: str | None
    text: str | None
    url: str | None
    id: str | None
    title: str | None
    published: str | None
    author: str | None


@lru_cache(maxsize=1 << 12)
def choose_columns(
    names: tuple[str, ...],
    settings: ReadConfig,
    texts: tuple[str, ...],
    *,
    rows_differ: bool = False,
) -> Columns:
    """The columns to read: those named in the settings, else guessed by their names.

    A dotted name, such as `article.body`, is the path of a value inside another. It is guessed by
    all of its parts or by the last one, if no column that is not nested fits.

    Args:
        names: all columns of the table, in order.
        settings: column names. If a column of HTML or text is named, no other is read.
        texts: the columns that contain text; HTML and text are guessed among them.
        rows_differ: whether rows may have different columns; `names` are those of one row, which
            may lack an address and an identifier.

    Raises:
        SourceError: a named column is missing, or no column is known to contain pages.

    >>> names = ("Title", "Main_Text", "link")
    >>> columns = choose_columns(names, ReadConfig(), names)
    >>> columns.text, columns.url, columns.id, columns.title
    ('Main_Text', 'link', None, 'Title')
    """
    html, text = settings.html_column or None, settings.text_column or None
    if not (html or text):
        html, text = _guess(texts, _HTML), _guess(texts, _TEXT)
        if html and text and "." in html and "." not in text:
            html = None  # what is nested may be about something else, such as an image
        if not (html or text):
            raise SourceError(_missing_message("no column that is known to contain text", names))
    about = _beside(names, html or text or "")
    said = [name for name in about if name not in (html, text)]
    columns = Columns(
        html,
        text,
        settings.url_column or _guess(about, _URL),
        settings.id_column or _guess(about, _ID),
        *(_guess(said, known) for known in (_TITLE, _PUBLISHED, _AUTHOR)),
    )
    needed = ("html", "text") if rows_differ else Columns._fields
    for option, name in zip(needed, columns, strict=False):
        if name and name not in names:
            raise SourceError(_missing_message(f"no column {name!r}", names, option))
    return columns


def choose_from_schema(columns: pl.Schema, settings: ReadConfig) -> Columns:
    """The columns to read from a typed table, whose structs may contain columns.

    Raises:
        SourceError: as for `choose_columns`.
    """
    types = dict(_nested_types(columns))
    texts = tuple(name for name, dtype in types.items() if _holds_text(dtype))
    return choose_columns(tuple(types), settings, texts)


def select_path(columns: pl.Schema, path: str) -> pl.Expr:
    """The column at a path, named like the path.

    >>> frame = pl.DataFrame({"a": [{"b": 1}]})
    >>> frame.select(select_path(frame.schema, "a.b")).row(0)
    (1,)
    """
    if path in columns:
        return pl.col(path)
    first, *fields = path.split(".")
    column = pl.col(first)
    for field in fields:
        column = column.struct.field(field)
    return column.alias(path)


def nested_names(row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The paths and values of what is inside the objects of a row.

    >>> list(nested_names({"a": 1, "b": {"c": {"d": 2}}}))
    [('b.c', {'d': 2}), ('b.c.d', 2)]
    """
    left = _MAX_NAMES
    level: list[tuple[str, Mapping[str, Any]]] = [("", row)]
    for depth in range(_MAX_DEPTH):
        deeper: list[tuple[str, Mapping[str, Any]]] = []
        for path, values in level:
            for name, value in values.items():
                if depth:
                    yield path + name, value
                    left -= 1
                if not left:
                    return
                if isinstance(value, dict):
                    deeper.append((f"{path}{name}.", value))
        level = deeper


def text_of_object(value: Mapping[str, Any]) -> str | None:
    """The text of an object in a list, such as a paragraph with its type; None if it has none.

    >>> text_of_object({"type": "p", "text": "a"})
    'a'
    """
    texts = [name for name, content in value.items() if isinstance(content, str)]
    name = _guess(texts, _TEXT) or _guess(texts, _HTML)
    return value[name] if name else None


def is_markdown(name: str | None) -> bool:
    """Whether a column contains Markdown, by its name.

    >>> is_markdown("content_markdown"), is_markdown("text")
    (True, False)
    """
    return name is not None and _normal(name.rpartition(".")[2]) in _MARKDOWN


def is_header(names: Iterable[str]) -> bool:
    """Whether names look like those of a table that contains pages, and what is known about them.

    >>> is_header(["id", "Full text"]), is_header(["Text", "which came later"])
    (True, False)
    """
    normal = [_normal(name) for name in names]
    distinct = set(normal)
    is_table = len(distinct) == len(normal) and not _KNOWN_OTHERS.isdisjoint(distinct)
    return is_table and not _KNOWN_TEXTS.isdisjoint(distinct)


def describe_guesses(columns: Columns, settings: ReadConfig) -> str | None:
    """Tell the user which columns were guessed or not found; None if there are none."""
    choices = zip(
        columns[:4],
        (settings.html_column, settings.text_column, settings.url_column, settings.id_column),
        ("HTML", "text", "url", "id"),
        strict=True,
    )
    notes = []
    for name, configured, role in choices:
        if name and not configured:
            what = "Markdown" if role == "text" and is_markdown(name) else role
            notes.append(f"{what} from column `{name}`")
        elif role in ("url", "id") and configured and not name:
            notes.append(f"{role} column `{configured}` in none of the first rows")
    return ", ".join(notes) or None


_KNOWN_TEXTS = frozenset((*_HTML, *_TEXT))
_KNOWN_OTHERS = frozenset(
    (*_URL, *_ID, *_TITLE, *_PUBLISHED, *_AUTHOR, "timestamp", "lang", "language", "label",
     "category", "source", "domain", "country", "اللغة", "المصدر")
)  # fmt: skip


def _nested_types(columns: Mapping[str, pl.DataType]) -> Iterator[tuple[str, pl.DataType]]:
    yield from columns.items()
    level = [(name, dtype) for name, dtype in columns.items() if isinstance(dtype, pl.Struct)]
    for _ in range(_MAX_DEPTH - 1):
        fields = [(f"{name}.{f.name}", f.dtype) for name, dtype in level for f in dtype.fields]
        level = []
        for name, dtype in fields:
            if name not in columns and isinstance(dtype, pl.DataType):
                yield name, dtype
                if isinstance(dtype, pl.Struct):
                    level.append((name, dtype))


def _holds_text(dtype: pl.DataType) -> bool:
    """Whether values of a type are text, or lists of text or of structs with text."""
    if isinstance(dtype, (pl.List, pl.Array)):
        inner = dtype.inner
        return inner == pl.String or inner.base_type() in (pl.Struct, pl.List)
    return dtype in _TEXT_TYPES


def _guess(names: Iterable[str], known: tuple[str, ...]) -> str | None:
    plain: dict[str, str] = {}
    paths: dict[str, str] = {}
    ends: dict[str, str] = {}
    for name in names:
        above, _, end = name.rpartition(".")
        if not above:
            plain.setdefault(_normal(name), name)
            continue
        paths.setdefault(_normal(name), name)
        if _normal(above.rpartition(".")[2]) not in _NOT_PAGES:
            ends.setdefault(_normal(end), name)
    either = (next((found[n] for n in known if n in found), None) for found in (plain, paths, ends))
    return next(filter(None, either), None)


def _beside(names: Iterable[str], text: str) -> tuple[str, ...]:
    """The names that may say something about a page: not those inside another object."""
    parent = text.rpartition(".")[0]
    parents = ((name, name.rpartition(".")[0]) for name in names)
    return tuple(
        name
        for name, above in parents
        if above in ("", parent) or _normal(above.rpartition(".")[2]) in _ABOUT_PAGE
    )


def _normal(name: str) -> str:
    """A name without what writers choose freely: case, separators, tatweel and vowel signs.

    >>> _normal("Main_Text "), _normal("articleBody")
    ('maintext', 'articlebody')
    """
    return _NOT_IN_NAMES.sub("", name).lower()


def _missing_message(what: str, names: tuple[str, ...], option: str = "text") -> str:
    listed = ", ".join(repr(n[:40]) for n in names[:_MAX_LISTED]) + ", …" * (
        len(names) > _MAX_LISTED
    )
    return f"has {what}; its columns are {listed or 'none'}; choose one with --{option}-column"
