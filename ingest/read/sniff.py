"""What the first bytes of a page say: whether it is HTML, and the encoding it declares."""

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
