"""Cut texts into pieces that a model can translate, and join the translations.

Models are trained on sentences, and their output degrades on longer input. A piece is a sentence;
a sentence that is too long is cut at clauses, then between words, then inside a word. Separators
are kept, so pieces and separators together give the text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import regex

from ingest.sentences import sentence_spans
from ingest.translation.masks import CUT_MARK, MARK

CountTokens = Callable[[list[str]], list[int]]
Span = tuple[int, int]

# Pieces never contain control characters: some readers treat them as ends of lines or cells. Nor do
# they contain items that are no words.
_BLOCK = regex.compile(rf"[^\x00-\x1f\x7f-\x9f\u2028\u2029{CUT_MARK}]+")
# Items after the end of a sentence, such as hashtags
_ITEMS_AFTER = regex.compile(rf"(?<=[.!?؟…])[\s{MARK}]*{MARK}\s*$")
_CLAUSE_END = regex.compile(r"(?<=[،؛、，；：。！？])[ \u00a0]*|(?<=[,;:–—…)\]»”])[ \u00a0]+")
_WORD_END = regex.compile(r"\s+")
_LETTER = regex.compile(r"\p{L}")
# Longest SentencePiece token. Spans that cannot fit are not tokenized.
_MAX_TOKEN_CHARS = 16
# Languages written without spaces between sentences, by their argos codes.
_UNSPACED = frozenset(("zh", "zt", "ja", "th", "lo", "km", "my"))


def cut(text: str, count: CountTokens, max_tokens: int) -> list[str]:
    """Return separators and pieces in turn, beginning and ending with a separator.

    Joined, they are `text`. A span without letters is part of a separator, and so is an item of
    markup or emoji.

    Args:
        text: any text, with marks in place of its items.
        count: gives the number of tokens of each text in a list.
        max_tokens: longest piece.

    >>> words = lambda texts: [len(t.split()) for t in texts]
    >>> cut("One two, three four five. Six.", words, 3)
    ['', 'One two,', ' ', 'three four five.', ' ', 'Six.', '']
    >>> cut("* * *", words, 3)
    ['* * *']
    """
    parts, position = [], 0
    for start, end in _piece_spans(text, count, max_tokens):
        parts += [text[position:start], text[start:end]]
        position = end
    return [*parts, text[position:]]


def join(parts: Sequence[str], translations: Sequence[str], lang: str) -> str:
    r"""Join the translations of the pieces with their separators.

    Args:
        parts: the result of `cut`.
        translations: one per piece.
        lang: target language; a space is added between sentences if it uses one and the source
            does not.

    >>> join(["", "كيف حالك؟", "", "أنا بخير.", "\n"], ["How are you?", "I am well."], "en")
    'How are you? I am well.\n'
    """
    joined = [parts[0]]
    for number, text in enumerate(translations):
        separator = parts[2 * number + 2]
        if not separator and number + 1 < len(translations) and lang not in _UNSPACED:
            # no space where a word was cut
            separator = "" if parts[2 * number + 1][-1].isalnum() else " "
        joined += [text, separator]
    return "".join(joined)


def _piece_spans(text: str, count: CountTokens, max_tokens: int) -> list[Span]:
    sentences = [
        (block.start() + start, block.start() + end)
        for block in _BLOCK.finditer(text)
        for start, end in sentence_spans(block[0])
    ]
    return [
        span
        for start, end in sentences
        if _LETTER.search(text, start, end)
        for span in _split_to_fit(text, (start, _end(text, start, end)), count, max_tokens)
        if _LETTER.search(text, *span)
    ]


def _end(text: str, start: int, end: int) -> int:
    """Return the end of a sentence without the items after it."""
    after = _ITEMS_AFTER.search(text, start, end) if text[end - 1] == MARK else None
    return after.start() if after else end


def _split_to_fit(text: str, span: Span, count: CountTokens, max_tokens: int) -> list[Span]:
    """Split a span into parts of at most `max_tokens` tokens."""
    if _token_counts(text, [span], count, max_tokens)[0] <= max_tokens:
        return [span]
    for boundary in (_CLAUSE_END, _WORD_END):
        units = _split_at(text, span, boundary)
        if len(units) > 1:
            single = set(units)
            sizes = _token_counts(text, units, count, max_tokens)
            return [
                part
                for group in _pack(units, sizes, max_tokens)
                for part in (
                    _split_to_fit(text, group, count, max_tokens) if group in single else [group]
                )
            ]
    middle = (span[0] + span[1]) // 2
    if middle == span[0]:  # one character; some expand to several tokens
        return [span]
    halves = ((span[0], middle), (middle, span[1]))
    return [part for half in halves for part in _split_to_fit(text, half, count, max_tokens)]


def _token_counts(text: str, spans: list[Span], count: CountTokens, max_tokens: int) -> list[int]:
    """Count the tokens of each span; estimate those of spans that are certainly too long."""
    short = [span for span in spans if span[1] - span[0] <= max_tokens * _MAX_TOKEN_CHARS]
    counts = dict(zip(short, count([text[a:b] for a, b in short]), strict=True))
    return [counts.get(span, max_tokens + (span[1] - span[0]) // 4) for span in spans]


def _split_at(text: str, span: Span, boundary: regex.Pattern[str]) -> list[Span]:
    units, start = [], span[0]
    for gap in boundary.finditer(text, *span):
        if start < gap.start() < span[1]:
            units.append((start, gap.start()))
            start = gap.end()
    return [*units, (start, span[1])] if start < span[1] else units


def _pack(units: list[Span], sizes: list[int], max_tokens: int) -> list[Span]:
    """Merge neighbours into groups of similar size, each of at most `max_tokens` tokens."""
    groups = -(-sum(sizes) // max_tokens)
    target_size = sum(sizes) / groups
    packed, packed_size = [units[0]], sizes[0]
    for unit, size in zip(units[1:], sizes[1:], strict=True):
        if packed_size + size > max_tokens or packed_size >= target_size:
            packed.append(unit)
            packed_size = size
        else:
            packed[-1] = (packed[-1][0], unit[1])
            packed_size += size
    return packed
