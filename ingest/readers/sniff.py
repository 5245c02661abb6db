"""Detect HTML, declared encodings and unsupported formats from the first bytes of a page."""

from __future__ import annotations

import re

# The start of an HTML page or fragment, such as a table cell, after white space and comments.
_BEFORE = r"(?:\s|\ufeff|<!--.*?-->|<\?xml[^>]*>)*+"
_HTML = re.compile(
    _BEFORE + r"<(?:!doctype\s+html|html|head|body|title|meta|article|main|section|header|nav|"
    r"table|div|p|h[1-6])[\s/>]",
    re.IGNORECASE | re.DOTALL,
)
_PAGE = re.compile(
    _BEFORE + r"<(?:!doctype\s+html|html|head|body)[\s/>]", re.IGNORECASE | re.DOTALL
)
_HEAD_SIZE = 4096  # bytes or characters at the start of a page that are inspected
_COMMENT_END = b"-->"
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_META = re.compile(rb"<meta[\s/]([^>]*+)", re.IGNORECASE)
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([^\s\"'/>;]+)", re.IGNORECASE)
_XML = re.compile(rb"\s*<\?xml[^>]*?\sencoding\s*=\s*[\"']([^\"'>]+)", re.IGNORECASE)

# The first bytes of formats that are no page, some of which could pass for text: what they are.
_REFUSED = {
    b"%PDF-": "PDF", b"PK\x03\x04": "ZIP archive", b"\xd0\xcf\x11\xe0": "old Office file",
    b"{\\rtf": "RTF document", b"%!PS-Adobe": "PostScript document",
    b"\x89PNG\r\n\x1a\n": "PNG image", b"\xff\xd8\xff": "JPEG image",
    b"GIF87a": "GIF image", b"GIF89a": "GIF image", b"\0\0\1\0": "icon", b"II*\0": "TIFF image",
    b"MM\0*": "TIFF image", b"wOFF": "font", b"wOF2": "font", b"OTTO\0": "font",
    b"\0\1\0\0\0": "font", b"ID3\3": "audio file", b"ID3\4": "audio file",
    b"OggS\0": "audio or video file", b"fLaC\0": "audio file", b"\x1aE\xdf\xa3": "video file",
    b"FLV\1": "video file", b"Rar!\x1a\x07": "RAR archive", b"7z\xbc\xaf\x27\x1c": "7z archive",
    b"\x7fELF": "program", b"SQLite format 3\0": "SQLite database", b"\0asm": "program",
}  # fmt: skip
# Marks that are not at the start: offset, mark, what the file is.
_REFUSED_LATER = (
    (8, b"WEBP", "WebP image"), (8, b"WAVE", "audio file"), (8, b"AVI ", "video file"),
    (4, b"ftyp", "audio, video or image file"), (257, b"ustar", "tar archive"),
)  # fmt: skip
_ADVICE = {
    "PDF": "is a PDF; extract its text first, for example with pdftotext",
    "ZIP archive": "is a ZIP archive, such as DOCX, ODT or EPUB; "
    "extract its text first, for example with pandoc",
    "old Office file": "is an old Office file, such as DOC; save it as text or HTML first",
    "RTF document": "is an RTF document; save it as text or HTML first",
}
# A byte order mark and an ASCII character in each of the wide encodings. The mark may be missing;
# alone, it may be damage.
_WIDE = (
    ("utf-32-le", re.compile(rb"(?:\xff\xfe\0\0)*[\t-\x7e]\0\0\0")),
    ("utf-32-be", re.compile(rb"(?:\0\0\xfe\xff)*\0\0\0[\t-\x7e]")),
    ("utf-16-le", re.compile(rb"(?:\xff\xfe)+[\t-\x7e]\0|[\t-\x7e]\0[^\0]")),
    ("utf-16-be", re.compile(rb"(?:\xfe\xff)+\0[\t-\x7e]|\0[\t-\x7e]\0")),
)


def refusal_of_magic(start: bytes) -> str | None:
    """What a file is, if its first bytes say that it is not a page.

    >>> refusal_of_magic(b"%PDF-1.7 ..."), refusal_of_magic(b"About PDF")
    ('PDF', None)
    """
    for magic, what in _REFUSED.items():
        if start.startswith(magic):
            return what
    return next((what for at, magic, what in _REFUSED_LATER if start.startswith(magic, at)), None)


def why_not_a_page(content: bytes) -> str | None:
    """Why bytes cannot be a page, if they are a document of an unsupported format.

    >>> why_not_a_page(b"%PDF-1.7 ..."), why_not_a_page(b"About PDF")
    ('is a PDF; extract its text first, for example with pdftotext', None)
    """
    what = refusal_of_magic(content)
    if what is None:
        return None
    article = "an" if what[0] in "aeiouAEIOU" else "a"
    return _ADVICE.get(what, f"is {article} {what}, which has no text to read")


def wide_encoding(start: bytes) -> str | None:
    r"""UTF-16 or UTF-32 with its byte order, if text that starts with ASCII has it; else None.

    >>> wide_encoding("\ufeff{".encode("utf-16-be")), wide_encoding(b'{"')
    ('utf-16-be', None)
    """
    return next((name for name, pattern in _WIDE if pattern.match(start)), None)


def start_of_text(start: bytes) -> str:
    r"""The start of a text file as text, without a byte order mark; only ASCII need be right.

    >>> start_of_text("\ufeff<p>".encode("utf-16"))
    '<p>'
    """
    return start.decode(wide_encoding(start) or "utf-8", "replace").lstrip("\ufeff")


def is_html_page(text: str) -> bool:
    """Whether text starts like a whole page of HTML, and not like a fragment.

    >>> is_html_page("<!DOCTYPE html><p>"), is_html_page("<p>")
    (True, False)
    """
    return _PAGE.match(text) is not None


def looks_like_html(text: str) -> bool:
    """Whether text starts like HTML.

    >>> looks_like_html("<!doctype html><p>x"), looks_like_html("a < b"), looks_like_html("<TT>")
    (True, False, False)
    """
    return _HTML.match(text[:_HEAD_SIZE]) is not None


def declared_charset(html: bytes) -> str | None:
    """The label in the `<meta charset>`, `http-equiv` or XML declaration of a page, if any.

    >>> declared_charset(b'<meta http-equiv=x content="text/html; charset=windows-1256">')
    'windows-1256'
    """
    head = html[:_HEAD_SIZE]
    last = head.rfind(_COMMENT_END)  # no comment ends after it, so none is searched for there
    head = _COMMENT.sub(b"", head[: last + len(_COMMENT_END)]) + head[last + len(_COMMENT_END) :]
    charsets = map(_CHARSET.search, _META.findall(head))
    match = next(filter(None, charsets), None) or _XML.match(head)
    return match[1].decode("latin-1").strip() if match else None
