"""What the first bytes of a page say: whether it is HTML, its encoding, or that it is no page."""

from __future__ import annotations

import re

# How HTML begins, after white space and comments: also a fragment, as a table's cell may hold.
_HTML = re.compile(
    r"(?:\s|\ufeff|<!--.*?-->|<\?xml[^>]*>)*+"
    r"<(?:!doctype\s+html|html|head|body|title|meta|article|main|section|header|nav|table|div|p|h[1-6])"
    r"[\s/>]",
    re.IGNORECASE | re.DOTALL,
)
_LOOKED_AT = 4096  # at the start of a page
_COMMENT = re.compile(rb"<!--.*?-->", re.DOTALL)
_META = re.compile(rb"<meta[\s/][^>]*?charset\s*=\s*[\"']?\s*([^\s\"'/>;]+)", re.IGNORECASE)
_XML = re.compile(rb"\s*<\?xml[^>]*?\sencoding\s*=\s*[\"']([^\"'>]+)", re.IGNORECASE)

# How documents of other formats begin, some of which could pass for text; and what helps.
_NO_PAGE = {
    b"%PDF-": "is a PDF; extract its text first, such as with pdftotext",
    b"PK\x03\x04": "is a ZIP archive, as DOCX, ODT and EPUB are; "
    "extract its text first, such as with pandoc",
    b"\xd0\xcf\x11\xe0": "is a file of an old Office, such as DOC; save it as text or HTML first",
}


def why_not_a_page(content: bytes) -> str | None:
    """What is wrong with bytes that are a document of another format; None where they are none.

    >>> why_not_a_page(b"%PDF-1.7 ..."), why_not_a_page(b"About PDF")
    ('is a PDF; extract its text first, such as with pdftotext', None)
    """
    return next((why for magic, why in _NO_PAGE.items() if content.startswith(magic)), None)


def looks_like_html(text: str) -> bool:
    """Whether text begins as HTML does.

    >>> looks_like_html("<!doctype html><p>x"), looks_like_html("a < b"), looks_like_html("<TT>")
    (True, False, False)
    """
    return _HTML.match(text[:_LOOKED_AT]) is not None


def declared_charset(html: bytes) -> str | None:
    """The label of a page's `<meta charset>`, `http-equiv` or XML declaration; None without one.

    >>> declared_charset(b'<meta http-equiv=x content="text/html; charset=windows-1256">')
    'windows-1256'
    """
    head = _COMMENT.sub(b"", html[:_LOOKED_AT])
    found = _META.search(head) or _XML.match(head)
    return found[1].decode("latin-1").strip() if found else None
