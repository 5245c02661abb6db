"""Render the data of a report as one HTML page with its style and scripts inside."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from importlib.resources import files
from string import Template
from typing import Any

from ingest.text import scrub

_STYLES = ("page.css", "review.css")
# In the order in which they run: later scripts use what earlier ones define.
_SCRIPTS = (
    "base.js", "charts.js", "lists.js", "items.js", "store.js", "links.js", "copy.js",
    "dialogs.js", "review.js", "review_bar.js", "pair_card.js", "overview.js", "audit_tally.js",
    "audit.js", "sources.js", "dropped.js", "scores.js", "pages.js", "pairs.js", "unmatched.js",
    "about.js", "main.js",
)  # fmt: skip

# Characters that could end or hide a script element, or end a line of JavaScript.
_ESCAPED = "<>&\u2028\u2029"


def render(data: dict[str, Any]) -> str:
    """Return the report as HTML. The same data always gives the same text.

    The content security policy of the page forbids all requests, and all scripts but its own.

    Args:
        data: what `gather` returns.
    """
    style = "\n".join(map(_read, _STYLES))
    script = '"use strict";\n(() => {\n' + "\n".join(map(_read, _SCRIPTS)) + "})();\n"
    return Template(_read("page.html")).substitute(
        title=html.escape(data["name"]),
        policy=f"default-src 'none'; img-src data:; style-src {_hash(style)}; "
        f"script-src {_hash(script)}; base-uri 'none'; form-action 'none'",
        style=style,
        script=script,
        data=as_json(data),
    )


def as_json(data: Any) -> str:
    r"""Return JSON that is safe inside a script element, whatever its texts contain.

    >>> as_json({"text": "</script><!-- ب"})
    '{"text":"\\u003c/script\\u003e\\u003c!-- ب"}'
    """
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in _ESCAPED:  # quicker than str.translate
        text = text.replace(character, f"\\u{ord(character):04x}")
    return scrub(text)


def _read(name: str) -> str:
    return (files("ingest.report") / name).read_text(encoding="utf-8")


def _hash(inline: str) -> str:
    digest = hashlib.sha256(inline.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
