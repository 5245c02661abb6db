r"""Find what a translation must not change: addresses, placeholders, markup, emoji, numbers.

url          https://example.org, www.example.org, example.org/page, C:\folder
email        office@example.org
placeholder  %s  %(name)d  %1$s  {name}  ${name}  {{name}}  <%= name %>  %NAME%  \n  `code`
mention      @name
hashtag      #name
markup       tags and comments of HTML and XML, character references
emoji        emoji, flags, other pictures and symbols; characters for private use
number       numbers of three and more parts: versions, IP and MAC addresses, UUIDs, dates,
             times, telephone numbers. Simpler numbers are left to the model and only checked.
"""

from __future__ import annotations

from typing import NamedTuple

import regex

KINDS = ("url", "email", "placeholder", "mention", "hashtag", "markup", "emoji", "number")
# Items of these kinds are no words of a sentence: a text is cut at them.
CUT_KINDS = frozenset(("markup", "emoji"))

# Repetitions are bounded, so that no text takes more than linear time.
_URL_CHAR = r"""(?:(?<![A-Za-z0-9])\p{Arabic}
    |[^\s<>"`،؛؟。，、；！？（）「」«»“”…\p{Arabic}\p{Cf}\p{Cc}])"""
_URL_END = r"(?<![.,:;!?'*_|\]])"
_URL_REST = rf"{_URL_CHAR}{{1,2000}}{_URL_END}"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})"
_DOMAIN = rf"(?:{_LABEL}\.){{1,8}}[A-Za-z]{{2,24}}"
_VALUE = r"""(?:"[^"<>]{0,2000}+"|'[^'<>]{0,2000}+'|[^\s"'<>=`]{1,2000}+)"""
_PICTURE = r"\p{Extended_Pictographic}[\ufe0e\ufe0f]?\p{EMod}?"
_PATTERNS = {
    "markup": rf"""<!--[^<>]{{0,500}}+-->|<!\[CDATA\[|\]\]>
        |</?[A-Za-z][\w:.-]{{0,60}}+
         (?:\s++[\w:@.-]{{1,60}}+(?:\s*+=\s*+{_VALUE})?+){{0,50}}+\s*+/?>
        |&(?:[A-Za-z][A-Za-z0-9]{{1,31}}+|\#\d{{1,7}}+|\#[xX][0-9A-Fa-f]{{1,6}}+);""",
    "email": rf"""(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]{{0,63}}+@{_DOMAIN}
        (?![A-Za-z0-9])""",
    "url": rf"""(?<![A-Za-z0-9])
         (?:[A-Za-z][A-Za-z0-9+.-]{{1,15}}+://|www\.(?=[A-Za-z0-9])|mailto:){_URL_REST}
        |(?<![A-Za-z0-9@.-]){_DOMAIN}(?::\d{{1,5}})?/(?:{_URL_REST})?
        |(?<![A-Za-z0-9@.-])(?:{_LABEL}\.){{1,8}}(?:com|org|net|info|edu|gov|example|io)
         (?![A-Za-z0-9-]|\.[A-Za-z0-9])
        |(?<![\w])[A-Za-z]:\\[^\s<>"|?*:]{{1,200}}{_URL_END}""",
    "placeholder": r"""`[^`\n]{1,80}`
        |[$\#@%]?\{\{[^{}\n]{1,80}\}\}|\{%[^{}\n]{1,80}%\}|<%[^<>\n]{1,80}%>
        |[$\#@%]?\{[A-Za-z0-9_.:,!\[\]+*/$\#%@-]{0,60}\}
        |(?<!\d)%(?:\(\w{1,60}\)|\d{1,2}\$)?[-+\#0]*\d{0,3}(?:\.\d{1,3})?
         (?:hh|ll|[hlLzjt])?[@diouxXeEfFgGcsrapn](?![A-Za-z])
        |%%|(?<![\w%])%[A-Z][A-Z_]{1,30}%|(?<![\w$])\$[A-Za-z_]\w{0,60}(?![\w$])
        |\\[nrt](?![a-z])""",
    "mention": r"(?<![\w@.])@[A-Za-z0-9_][\w.]{0,60}(?<!\.)",
    "hashtag": r"(?<![\w&\#/])\#(?=[\w·]*\p{L})[\w·]{1,100}",
    "number": r"""(?<![\w.])v\d{1,4}(?:\.\d{1,6}){1,8}(?:[-+][A-Za-z0-9.]{1,20})?(?<!\.)(?!\w)
        |(?<![\d.,:/+-])\d{1,8}(?:[.:/-]\d{1,8}){2,8}(?:[,٫]\d{1,6})?
         (?:[-+][A-Za-z]{1,8}[\d.]{0,8})?(?<!\.)(?![A-Za-z0-9])
        |(?<![\w:.-])(?=[A-Fa-f:-]{0,40}\d)[0-9A-Fa-f]{1,8}(?:(?:::?|-)[0-9A-Fa-f]{1,12}){2,8}(?!\w)
        |(?<![\w+])\+\d{1,3}(?:[ .-]?\(?\d{1,4}\)?){2,6}(?!\d)""",
    "emoji": rf"""\p{{Regional_Indicator}}{{2}}|[0-9\#*]\ufe0f?\u20e3
        |(?![\u00a9\u00ae\u2122\u2139\u203c\u2049\u3030\u303d]){_PICTURE}
         [\U000e0020-\U000e007f]*(?:\u200d{_PICTURE})*
        |[\p{{So}}\p{{Co}}\u2190-\u21ff\u27f0-\u27ff\u2900-\u297f--[©®™°\u2100-\u214f]][\ufe0e\ufe0f]?""",
}
_ITEM = regex.compile(
    "|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _PATTERNS.items()),
    regex.VERBOSE | regex.VERSION1,
)
# A character that every item has; nearly all texts have none of them.
_HINT = regex.compile(
    r"[<>&@%{}$\\#/`]|[:-][0-9A-Fa-f]|www\.|\.[a-z]{2}|\d[.:-]\d|v\d|\+\d|[\p{So}\p{Co}\u2190-\u21ff\u27f0-\u27ff\u2900-\u297f\p{Extended_Pictographic}\p{Regional_Indicator}\u20e3]"
)


class Item(NamedTuple):
    """An item of a text: text[start:end]."""

    start: int
    end: int
    kind: str


def find_items(text: str) -> list[Item]:
    """Find all items, in order. Items never overlap.

    >>> [item.kind for item in find_items("Hi {name} 🐶, see <b>www.example.org</b>.")]
    ['placeholder', 'emoji', 'markup', 'url', 'markup']
    """
    if not _HINT.search(text):
        return []
    return [
        Item(match.start(), _end(match), str(match.lastgroup)) for match in _ITEM.finditer(text)
    ]


def is_number(item: str) -> bool:
    """Whether an item is of the kind number.

    >>> is_number("1.1.1.1"), is_number("a@b.org")
    (True, False)
    """
    match = _ITEM.match(item)
    return match is not None and match.lastgroup == "number"


def _end(match: regex.Match[str]) -> int:
    """Return the end of an item; a bracket closed after a URL is not part of it."""
    end: int = match.end()
    if match.lastgroup == "url":
        for opened, closed in ("()", "[]", "{}"):
            while match.string[end - 1] == closed and match[0].count(opened) < match.string.count(
                closed, match.start(), end
            ):
                end -= 1
    return end
