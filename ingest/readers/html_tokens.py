"""The tags and comments of a page as arrays: positions, names, and the attributes that matter.

The input is what a parser writes: tags are closed and nested, values are quoted, and the text has
no `<` or `>`. In nearly all pages, `<` and `>` alternate, so that two searches find all tags.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

from ingest._typing import I64, U8, U64, Bools

# Properties of elements.
VOID, BLOCK, INVISIBLE, KEEP_SPACE, LINK, LINE_BREAK, NOSCRIPT = (1 << n for n in range(7))
_NAMES: dict[int, str] = {
    # Elements without an end tag.
    VOID: "area base basefont bgsound br col embed frame hr img input keygen link meta param "
    "source track wbr",
    # Elements that start a new line: blocks, list items, table parts and controls in the rendering
    # section (15.3) of the HTML standard. Also cells: in a bilingual table, adjacent cells have
    # the two languages.
    BLOCK: "address article aside blockquote body button caption center dd details dialog dir div "
    "dl dt fieldset figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 header hgroup hr html "
    "legend li listing main marquee menu nav ol optgroup option p plaintext pre search section "
    "select summary table tbody td textarea tfoot th thead tr ul xmp",
    # Elements whose content is never shown.
    INVISIBLE: "annotation annotation-xml applet area audio base canvas datalist embed frame "
    "iframe img input link meta noembed noframes object param rp script source style svg template "
    "title track video",
    KEEP_SPACE: "listing plaintext pre textarea xmp",
    LINK: "a",
    LINE_BREAK: "br",
    NOSCRIPT: "noscript",
    0: "abbr b em font head i label path s small span strong sub sup time u",
}
KNOWN = sorted({name for names in _NAMES.values() for name in names.split()})
_ID = {name.encode(): number for number, name in enumerate(KNOWN)}
_PROPERTIES = np.array(
    [sum(bit for bit, names in _NAMES.items() if name in names.split()) for name in KNOWN], np.uint8
)
# Attributes that matter: first those of the markup, in its order, then those that hide an element.
ATTRIBUTES = "id class dir itemprop lang property rel role style hidden".split()
STYLE, HIDDEN = ATTRIBUTES.index("style"), ATTRIBUTES.index("hidden")

_LESS, _GREATER, _QUOTE, _EQUALS, _SPACE, _SLASH, _BANG, _DASH, _QUESTION = map(ord, '<>"= /!-?')
_WIDTH = 8  # bytes of a word
_LOW, _HIGH = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
_SPACES, _GREATERS = np.frombuffer(b" " * _WIDTH + b">" * _WIDTH, np.uint64)
_PAD = b" " * _WIDTH  # so that a word can be read at every position
_MASKS = np.array([(1 << 8 * n) - 1 for n in range(_WIDTH + 1)], np.uint64)  # the first n bytes
_NAME = re.compile(rb"[^ >]+")
# Any tag that a serializer writes, exactly; names may contain nearly all characters.
_TAG = re.compile(
    rb"(<(?:!--.*?-->|\?[^>]*+>|/?+[^ >]++(?: =?+[^ =>]*+=\"[^\"]*+\")*+>))", re.DOTALL
)
_ATTRIBUTE = re.compile(
    rb" (" + "|".join(ATTRIBUTES).encode() + rb")=\"([^\"]*+)\"| [^ ][^ =>]*+=\"[^\"]*+\""
)
_COMMENT = b"<!---->"
BETWEEN_TEXTS = b"\0"  # a byte that a page does not contain
# Characters in names that would be taken for those of tags, and bytes that never occur in UTF-8.
_MASKED = bytes.maketrans(b'"<=', b"\xf8\xf9\xfa")
_UNMASKED = bytes.maketrans(b"\xf8\xf9\xfa", b'"<=')


class Tokens(NamedTuple):
    """The tags and comments of a page, in order.

    Attributes:
        data: the page; some of its comments and attributes may have been removed.
        start, end: positions of their first and last bytes [tokens].
        opens, closes: whether they are start tags or end tags [tokens].
        tag: the name of each start tag, a number in `names`; undefined for others [tokens].
        names: names of elements.
        properties: bits, such as BLOCK, of each name [names].
        attributes: the attributes that matter, ordered by start tag.
    """

    data: bytes
    start: I64
    end: I64
    opens: Bools
    closes: Bools
    tag: I64
    names: list[str]
    properties: U8
    attributes: Attributes


class Attributes(NamedTuple):
    """Attributes.

    Attributes:
        token: the start tag of each.
        name: its name, a number in ATTRIBUTES.
        begin: where its name starts.
        start, stop: where its value starts and ends.
    """

    token: I64
    name: I64
    begin: I64
    start: I64
    stop: I64


def names_of(kind: int) -> frozenset[str]:
    """The names of the elements with a property, such as BLOCK.

    >>> sorted(names_of(LINE_BREAK))
    ['br']
    """
    return frozenset(_NAMES[kind].split())


def tokenize(html: bytes) -> Tokens:
    """Find the tags of a page that a parser has serialized.

    Raises:
        TypeError: it was not.

    >>> tokens = tokenize(b'<p class="a">x<br></p>')
    >>> [tokens.names[number] for number in tokens.tag[tokens.opens]]
    ['p', 'br']
    """
    html = html.replace(BETWEEN_TEXTS, "\ufffd".encode())
    tokens = _tokenize(html)
    if not isinstance(tokens, Tokens):
        tokens = _tokenize(_plain(html, tokens))
    if not isinstance(tokens, Tokens):
        raise TypeError("the page was not written by a serializer")
    return tokens


def _tokenize(html: bytes) -> Tokens | list[tuple[int, int]]:
    """The tags, if it is certain that each `<` starts and each `>` ends one.

    Otherwise the places of tags with unusual characters; none if they are not known.
    """
    data = html + _PAD
    chars = np.frombuffer(data, np.uint8)
    at = np.flatnonzero(((chars & 0xFD) == _LESS) | (chars == _QUOTE))
    is_quote = chars[at] == _QUOTE
    brackets = at[~is_quote]
    inside = _inside_comments(html, chars, brackets)
    if inside is None:
        return []
    if len(inside):
        at = np.delete(at, np.flatnonzero(~is_quote)[inside])
        is_quote = chars[at] == _QUOTE
        brackets = at[~is_quote]
    start, end = brackets[0::2], brackets[1::2]
    if not (
        len(start) == len(end) and np.all(chars[start] == _LESS) and np.all(chars[end] == _GREATER)
    ):
        return []
    second = chars[start + 1]
    closes = second == _SLASH
    opens = ~(closes | (second == _BANG) | (second == _QUESTION))
    words = np.ndarray(len(data) - _WIDTH + 1, "<u8", data, strides=(1,))
    tag, length, extra, unusual = _names(data, words, start, opens)
    seen = np.cumsum(~is_quote)[is_quote]
    in_tag = (seen & 1).astype(bool)
    quotes, token = at[is_quote][in_tag], seen[in_tag] >> 1
    in_start_tag = opens[token]
    quotes, token = quotes[in_start_tag], token[in_start_tag]
    odd = (np.bincount(token, minlength=len(start)) & 1).astype(bool)
    if odd.any():
        unusual |= odd
        quotes, token = quotes[~odd[token]], token[~odd[token]]
    first, last, token = quotes[0::2], quotes[1::2], token[0::2]
    after = chars[last + 1]
    wrong = (chars[first - 1] != _EQUALS) | ((after != _SPACE) & (after != _GREATER))
    # The only name that looks like the start of a value
    wrong |= (chars[first - 2] == _SPACE) & (chars[first - 1] == _EQUALS)
    unusual[token[wrong]] = True
    if unusual.any():
        return list(zip(start[unusual].tolist(), (end[unusual] + 1).tolist(), strict=True))
    attributes = _attributes(words, first, last, token, start + length + 2)
    properties = np.append(_PROPERTIES, np.zeros(len(extra), np.uint8))
    return Tokens(data, start, end, opens, closes, tag, KNOWN + extra, properties, attributes)


def _inside_comments(html: bytes, chars: U8, brackets: I64) -> I64 | None:
    """Which `<` and `>` are part of a comment, its own ones left out; None if one does not end."""
    starts = np.flatnonzero((chars[brackets] == _LESS) & (chars[brackets + 1] == _BANG))
    if not len(starts):
        return starts
    begin, next_ = brackets[starts], brackets[np.minimum(starts + 1, len(brackets) - 1)]
    simple = (
        (chars[next_] == _GREATER)
        & (chars[next_ - 1] == _DASH)
        & (chars[next_ - 2] == _DASH)
        & (next_ - begin >= len(_COMMENT) - 1)
    )
    inside = [np.zeros(0, np.int64)]
    end = 0
    for start in starts[~simple].tolist():
        if brackets[start] < end:
            continue
        end = html.find(b"-->", int(brackets[start]) + 4) + 2
        if end < 2:
            return None
        inside.append(np.arange(start + 1, np.searchsorted(brackets, end)))
    return np.concatenate(inside)


def _short_words(names: list[bytes]) -> tuple[U64, I64]:
    """Names of at most eight bytes as sorted numbers, and their places in the list."""
    words = {int.from_bytes(name, "little"): n for n, name in enumerate(names) if len(name) <= 8}
    ordered = sorted(words)
    return np.array(ordered, np.uint64), np.array([words[word] for word in ordered], np.int64)


_TAG_WORDS, _TAG_IDS = _short_words(list(_ID))
_ATTRIBUTE_WORDS, _ATTRIBUTE_IDS = _short_words([name.encode() for name in ATTRIBUTES])


def _names(data: bytes, words: U64, start: I64, opens: Bools) -> tuple[I64, I64, list[str], Bools]:
    """The number and the length of the name of each start tag, and the names that are not known.

    Last, which tags have names that could be taken for something else.
    """
    tag, length = np.zeros(len(start), np.int64), np.zeros(len(start), np.int64)
    unusual = np.zeros(len(start), bool)
    begin = start[opens] + 1
    word = words[begin]
    stops = _zero_bytes(word ^ _SPACES) | _zero_bytes(word ^ _GREATERS)
    first = stops & (~stops + np.uint64(1))
    mask = (first >> np.uint64(7)) - np.uint64(1)  # of the bytes before the end of the name
    word &= mask
    length[opens] = np.bitwise_count(mask) >> 3
    place = np.minimum(np.searchsorted(_TAG_WORDS, word), len(_TAG_WORDS) - 1)
    tag[opens] = _TAG_IDS[place]
    extra: list[str] = []
    numbers: dict[bytes, int] = dict(_ID)
    others = np.flatnonzero((_TAG_WORDS[place] != word) | (first == 0))
    for n, at in zip(np.flatnonzero(opens)[others].tolist(), begin[others].tolist(), strict=True):
        match = _NAME.match(data, at)
        name = match[0] if match else b""
        if name not in numbers:
            numbers[name] = len(KNOWN) + len(extra)
            extra.append(name.translate(_UNMASKED).decode("utf-8", "replace"))
        tag[n], length[n] = numbers[name], len(name)
        unusual[n] = b'"' in name or b"=" in name
    return tag, length, extra, unusual


def _zero_bytes(word: U64) -> U64:
    """The high bits of the zero bytes of words, exact up to the first one of each."""
    return (word - _LOW) & ~word & _HIGH


def _attributes(words: U64, first: I64, last: I64, token: I64, after_name: I64) -> Attributes:
    """The attributes that matter, by the quotation marks around all values."""
    begin = after_name[token]
    follows = np.flatnonzero(token[1:] == token[:-1]) + 1
    begin[follows] = last[follows - 1] + 2
    length = np.clip(first - 1 - begin, 0, _WIDTH + 1)
    word = words[begin] & _MASKS[np.minimum(length, _WIDTH)]
    place = np.minimum(np.searchsorted(_ATTRIBUTE_WORDS, word), len(_ATTRIBUTE_WORDS) - 1)
    known = (_ATTRIBUTE_WORDS[place] == word) & (length <= _WIDTH)
    return Attributes(
        token[known], _ATTRIBUTE_IDS[place[known]], begin[known], first[known] + 1, last[known]
    )


def _plain(html: bytes, tags: list[tuple[int, int]]) -> bytes:
    """The same page without `<` and `>` in values, and without unusual characters in names.

    `tags` are the places of all tags that may have these; there are none if they are not known.
    """
    if tags and all(_ends_at(html, start, end) for start, end in tags):
        kept: list[bytes] = []
        last = 0
        for start, end in tags:
            kept += html[last:start], _plain_tag(html[start:end])
            last = end
        return b"".join([*kept, html[last:]])
    parts = _TAG.split(html)
    parts[1::2] = map(_plain_tag, parts[1::2])
    return b"".join(parts)


def _ends_at(html: bytes, start: int, end: int) -> bool:
    match = _TAG.match(html, start)
    return match is not None and match.end() == end


def _plain_tag(tag: bytes) -> bytes:
    if tag.startswith((b"<!", b"<?")):
        return _COMMENT
    match = _NAME.match(tag, 1)
    name = match[0] if match else b""
    values = [
        b' %b="%b"' % (key, value.replace(b"<", b"&lt;").replace(b">", b"&gt;"))
        for key, value in _ATTRIBUTE.findall(tag, len(name) + 1)
        if key
    ]
    return b"<%b%b>" % (name.translate(_MASKED), b"".join(values))
