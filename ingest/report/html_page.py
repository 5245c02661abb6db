"""The data and the files beside this module as one HTML page that needs no other."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from importlib.resources import files
from string import Template
from typing import Any

from ingest.text import scrub

# In the order in which they are run: later ones use what earlier ones define.
_SCRIPTS = ("base.js", "charts.js", "lists.js", "overview.js", "pages.js", "pairs.js", "main.js")

# Nothing that ends or hides a script element, or a line of JavaScript, is left in the data.
_ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def render(data: dict[str, Any]) -> str:
    """The report as HTML: the same data give the same text.

    The page forbids itself, by its content security policy, all that it does not hold: no request
    leaves it, and no script runs but its own.

    Args:
        data: what `gather` gives.
    """
    style = _text("page.css")
    script = '"use strict";\n(() => {\n' + "\n".join(map(_text, _SCRIPTS)) + "})();\n"
    return Template(_text("page.html")).substitute(
        title=html.escape(data["name"]),
        policy=f"default-src 'none'; img-src data:; style-src {_hash(style)}; "
        f"script-src {_hash(script)}; base-uri 'none'; form-action 'none'",
        style=style,
        script=script,
        data=as_json(data),
    )


def as_json(data: Any) -> str:
    r"""JSON that can stand in a script element, whatever its texts hold.

    >>> as_json({"text": "</script><!-- ب"})
    '{"text":"\\u003c/script\\u003e\\u003c!-- ب"}'
    """
    made = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return scrub(made.translate(_ESCAPES))


def _text(name: str) -> str:
    return (files("ingest.report") / name).read_text(encoding="utf-8")


def _hash(inline: str) -> str:
    digest = hashlib.sha256(inline.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
