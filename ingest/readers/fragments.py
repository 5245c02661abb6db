"""Recognise HTML in texts of tables, of JSON and of text files: fragments, escaped tags, entities.

A text that only mentions tags is no HTML. So tags count only if they do what tags do: start and end
an element that HTML has, or break a line where the words around it would otherwise touch. A text
that talks about markup, or is code, must be HTML from its first character to its last.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from typing import NamedTuple

from ingest.readers.sniff import is_html_page, looks_like_html

_INLINE = frozenset(
    "a abbr acronym b bdi bdo big center cite code del dfn em font i ins kbd label mark q s samp "
    "small span strike strong sub sup time tt u var".split()
)
_BLOCKS = frozenset(
    "address article aside blockquote button caption dd details dir div dl dt fieldset figcaption "
    "figure footer form h1 h2 h3 h4 h5 h6 header iframe legend li main menu nav ol optgroup option "
    "p picture pre section select summary svg table tbody td textarea tfoot th thead tr ul video "
    "audio object script style noscript".split()
)
_VOID = frozenset("br hr img input source embed wbr col link meta".split())
_OPTIONAL_END = frozenset("p li td th tr dt dd option tbody thead tfoot".split())
_KNOWN = _INLINE | _BLOCKS | _VOID
_VALUE = r"\"[^\"<>]*+\"|'[^'<>]*+'|[^\s\"'<>`]++"
_ATTRIBUTES = rf"(?:\s+[a-zA-Z_:@][\w:.@-]*+(?:\s*=\s*(?:{_VALUE}))?)*+"
_TAG = re.compile(
    rf"<(?P<closing>/?)(?P<name>[a-zA-Z][a-zA-Z0-9]*+)(?P<attributes>{_ATTRIBUTES})\s*/?>"
)
_MAX_SAMPLE = 1 << 16  # characters of a text that decide
_MAX_INSIDE = 400  # characters inside an element that are looked at
_HIDDEN = re.compile(
    r"<(script|style)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.DOTALL | re.IGNORECASE
)
_STARTS_PAGE = re.compile(
    r"\s*<(?:meta\s[^<>]*=|link\s[^<>]*href=|title>[^<]*</title>)", re.IGNORECASE
)
_CDATA = re.compile(r"\s*<!\[CDATA\[(.*?)\]\]>\s*\Z", re.DOTALL)
_ESCAPED_TAG = re.compile(r"&(?:amp;)*(?:lt|#60|#x3c);/?[a-zA-Z!]", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_MAX_ESCAPES = 3  # times that entities may have been escaped
# Blogs put the caption of an image into brackets.
_CAPTION = re.compile(r"\[caption\s[^\[\]]{0,1000}\](.{0,2000}?)\[/caption\]", re.DOTALL)
# Words of texts about markup.
_ABOUT_MARKUP = re.compile(
    r"\b(?:tags?|elements?|x?html5?|css|markup|entit(?:y|ies)|escap(?:e|ed|es|ing))\b|balise"
    r"|(?<!\w)(?:ال)?(?:وسم|وسوم|عنصر|كيان|شيفرة)(?!\w)",
    re.IGNORECASE,
)
# What only programs have, and lines that end as in programs.
_CODE = re.compile(
    r"=>|&&|\|\||```|^[ \t]*(?:#include\b|import \{|from \S+ import |def \w+\(|class \w+[:({]"
    r"|(?:public|private|protected) \w+ \w+\(|(?:const|let|var) \w+ ?=|return\b.*;|function\b.*\("
    r"|(?:if|for|while) ?\()",
    re.MULTILINE,
)
_CODE_END = re.compile(r"[;{}][ \t]*$", re.MULTILINE)
_MIN_CODE_ENDS = 2
_BEFORE_MENTION, _AFTER_MENTION = "`'\"“‘«(", "`'\"”’»)"
_ANY_ENTITY = re.compile(
    r"&(?:amp;)*(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});"
)
_DOUBLE_BREAK = re.compile(r"<br\s*/?>\s*<br\s*/?>", re.IGNORECASE)
_BLANK_LINE = re.compile(r"\n[ \t]*(?:\r?\n[ \t]*)+")
_KEEPS_LINES = re.compile(r"<(?:pre|textarea|script|style)\b", re.IGNORECASE)
_LINE_ENDS = re.compile(r"<(?:br|p|div|li|h[1-6]|tr)\b", re.IGNORECASE)
_MIN_WORDS = 4  # in a block that is more than an example
_MIN_TAGS = 3  # of a text that starts with a block, whatever it is about


class _Evidence(NamedTuple):
    """What the tags of a text say.

    Attributes:
        good: elements with a start and an end, and breaks with a word or a tag directly beside.
        stray: tags without a counterpart that need one.
        mentioned: tags between quotation marks, backticks or brackets.
        blocks: block elements among the good ones.
        full_blocks: block elements with several words inside.
        breaks: breaks among the good ones.
        implied: elements without an end tag among the good ones, such as paragraphs.
        starts: whether the text begins with a tag.
        ends: whether the text ends with a tag.
    """

    good: int
    stray: int
    mentioned: int
    blocks: int
    full_blocks: int
    breaks: int
    implied: int
    starts: bool
    ends: bool


def resolve_markup(text: str, *, entities: bool, strict: bool = False) -> tuple[str, str]:
    """The media type of a text whose format is not known, and the text without escapes.

    Args:
        text: the text.
        entities: whether entities and the captions of blogs are resolved in a text that is no
            HTML, as in tables and JSON, whose texts often come from HTML.
        strict: as for `is_html`.

    >>> resolve_markup("&lt;p&gt;One&lt;/p&gt;", entities=True)
    ('text/html', '<p>One</p>')
    >>> resolve_markup("Tom &amp; Jerry, AT&T and <b>", entities=True)
    ('text/plain', 'Tom & Jerry, AT&T and <b>')
    """
    if entities and "[/" in text:
        text = _CAPTION.sub(r"\n\1\n", text).strip("\n")
    if "<" not in text and "&" not in text:
        return "text/plain", text
    if section := _CDATA.match(text):
        return resolve_markup(section[1], entities=entities, strict=strict)
    if is_html(text, strict=strict):
        return "text/html", _keep_lines(text)
    if _ESCAPED_TAG.search(text):
        unescaped = text
        for _ in range(_MAX_ESCAPES):
            unescaped = _unescape(unescaped)
            if is_html(unescaped, strict=True):
                return "text/html", _keep_lines(unescaped)
    if entities and "&" in text:
        about = _ABOUT_MARKUP.search(text) is not None
        return "text/plain", _resolve_entities(text, about=about)
    return "text/plain", text


def is_html(text: str, *, strict: bool = False) -> bool:
    """Whether a text is HTML and does not only mention tags.

    Args:
        text: a page or a fragment.
        strict: whether one pair of tags inside a sentence, or a tag that is never closed, is not
            enough, because the tags were escaped or the text is said to be plain.

    >>> is_html("One <b>two</b> three"), is_html("The <b> tag"), is_html("List<String> a < b")
    (True, False, False)
    """
    if "<" not in text:
        return False
    sample = text[:_MAX_SAMPLE]
    if is_html_page(sample) or _STARTS_PAGE.match(sample):
        return True
    sample = _HIDDEN.sub("", sample).strip()
    seen = _weigh(sample, is_cut=len(text) > _MAX_SAMPLE)
    if not seen.good or seen.stray > seen.good or seen.mentioned >= seen.good:
        return False
    is_weak = seen.good == seen.implied or not (
        seen.blocks or seen.starts or seen.breaks or seen.good > 1
    )
    return not (strict and is_weak) and _is_meant(sample, seen)


def _is_meant(sample: str, seen: _Evidence) -> bool:
    """Whether tags that would make sense are markup, and not what the text is about."""
    if seen.starts and seen.blocks:
        has_several = seen.good + seen.stray >= _MIN_TAGS
        if seen.ends or (has_several and looks_like_html(sample)):
            return True
    prose = _TAG.sub(" ", sample)
    if _CODE.search(prose) or len(_CODE_END.findall(prose)) >= _MIN_CODE_ENDS:
        return False
    if seen.full_blocks or (_DOUBLE_BREAK.search(sample) and not seen.mentioned):
        return True
    return _ABOUT_MARKUP.search(prose) is None


def _weigh(text: str, *, is_cut: bool) -> _Evidence:
    good = stray = mentioned = blocks = full_blocks = breaks = 0
    opened: list[tuple[str, int, bool]] = []  # name, end of the tag, whether something follows it
    open_names: Counter[str] = Counter()
    first, last = -1, -1
    for tag in _TAG.finditer(text):
        name = tag["name"].lower()
        if name not in _KNOWN:
            continue
        first, last = tag.start() if first < 0 else first, tag.end()
        before, after = text[max(tag.start() - 1, 0) : tag.start()], text[last : last + 1]
        is_quoted = before in _BEFORE_MENTION and after in _AFTER_MENTION
        mentioned += bool(before and after) and is_quoted
        if name in _VOID:
            is_glued = before != " " or after != " " or "=" in tag["attributes"]
            good += is_glued
            breaks += is_glued
        elif not tag["closing"]:
            opened.append((name, last, bool(after) and not after.isspace()))
            open_names[name] += 1
        elif not open_names[name]:
            stray += 1
        else:
            inner, begin, _ = opened.pop()
            while inner != name:
                open_names[inner] -= 1
                stray += inner not in _OPTIONAL_END
                inner, begin, _ = opened.pop()
            open_names[name] -= 1
            inside = text[begin : min(tag.start(), begin + _MAX_INSIDE)]
            is_block = name in _BLOCKS
            good += 1
            blocks += is_block
            full_blocks += is_block and len(_TAG.sub(" ", inside).split()) >= _MIN_WORDS
    implied = sum(name in _OPTIONAL_END and is_followed for name, _, is_followed in opened)
    stray += 0 if is_cut else len(opened) - implied
    return _Evidence(
        good + implied, stray, mentioned, blocks + implied, full_blocks, breaks, implied,
        first == 0, last == len(text),
    )  # fmt: skip


def _keep_lines(text: str) -> str:
    """HTML whose line ends are marked where they mean one, as in the editors of blogs.

    Without any line breaks and blocks, all do; with them, blank lines do.
    """
    if "\n" not in text or is_html_page(text) or _KEEPS_LINES.search(text):
        return text
    if not _LINE_ENDS.search(text):
        return text.replace("\n", "<br>\n")
    return _BLANK_LINE.sub("\n<br>\n", text)


def _unescape(text: str) -> str:
    return _ENTITY.sub(lambda match: html.unescape(match[0]), text)


def _resolve_entities(text: str, *, about: bool) -> str:
    """Replace entities, escaped any number of times, but not those that a text mentions.

    Args:
        text: the text.
        about: whether it talks about markup.
    """

    def replace(match: re.Match[str]) -> str:
        start, end = match.span()
        before, after = text[start - 1 : start] or " ", text[end : end + 1] or " "
        is_quoted = before in _BEFORE_MENTION and after in _AFTER_MENTION
        is_mentioned = before == after == "`" or (
            about and (is_quoted or (before.isspace() and not after.isalnum()))
        )
        entity = match[0].removeprefix("&").rpartition("amp;")[2]
        return match[0] if is_mentioned else html.unescape(f"&{entity}" if entity else "&")

    return _ANY_ENTITY.sub(replace, text)
