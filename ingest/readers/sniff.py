"""Detect HTML, declared encodings and unsupported formats from the first bytes of a page."""

from __future__ import annotations

import re

# The start of an HTML page or fragment, such as a table cell, after white space and comments.
_HTML = re.compile(
    r"(?:\s|\ufeff|<!--.*?-->|<\?xml[^>]*>)*+"
    r"<(?:!doctype\s+html|html|head|body|title|meta|article|main|section|header|nav|table|div|p|h[1-6])"
    r"[\s/>]",
    re.IGNORECASE | re.DOTALL,
)
_HEAD_SIZE = 4096  # bytes or characters at the start of a page that are inspected
_COMMENT_END = b"-->"
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_META = re.compile(rb"<meta[\s/]([^>]*+)", re.IGNORECASE)
_CHARSET = re.compile(rb"charset\s*=\s*[\"']?\s*([^\s\"'/>;]+)", re.IGNORECASE)
_XML = re.compile(rb"\s*<\?xml[^>]*?\sencoding\s*=\s*[\"']([^\"'>]+)", re.IGNORECASE)

# The first bytes of unsupported formats, some of which could pass for text.
_UNSUPPORTED = {
    b"%PDF-": "is a PDF; extract its text first, for example with pdftotext",
    b"PK\x03\x04": "is a ZIP archive, such as DOCX, ODT or EPUB; "
    "extract its text first, for example with pandoc",
    b"\xd0\xcf\x11\xe0": "is an old Office file, such as DOC; save it as text or HTML first",
}


def why_not_a_page(content: bytes) -> str | None:
    """Why bytes cannot be a page, if they are a document of an unsupported format.

    >>> why_not_a_page(b"%PDF-1.7 ..."), why_not_a_page(b"About PDF")
    ('is a PDF; extract its text first, for example with pdftotext', None)
    """
    return next((why for magic, why in _UNSUPPORTED.items() if content.startswith(magic)), None)


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
