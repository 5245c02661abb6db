"""Texts to pieces that a model can take, and the translations back to one text.

A model is trained on sentences and stops making sense on what is much longer. A piece is a
sentence; where that is too long, some clauses of it, or some words, or part of a word. What stands
between pieces is kept, so that pieces and separators together are the text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import regex

from ingest.sentences import sentence_spans

Count = Callable[[list[str]], list[int]]
Span = tuple[int, int]

# Never inside a piece: what ends a line or a cell for some reader, and all other controls.
_BLOCK = regex.compile(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_CLAUSE = regex.compile(r"(?<=[،؛、，；：。！？])[ \u00a0]*|(?<=[,;:–—…)\]»”])[ \u00a0]+")
_WORD = regex.compile(r"\s+")
_SAYS = regex.compile(r"[\p{L}\p{N}]")
# A token of SentencePiece stands for at most so many characters: what is longer need not be counted
_LONGEST_TOKEN = 16
# Languages that put no spaces between sentences, as argos packages name them.
_UNSPACED = frozenset(("zh", "zt", "ja", "th", "lo", "km", "my"))


def cut(text: str, count: Count, most: int) -> list[str]:
    """Separators and pieces by turns, a separator first and last: together they are `text`.

    What has neither letter nor digit is no piece.

    Args:
        text: any text.
        count: how many tokens each of some texts has.
        most: tokens of a piece.

    >>> words = lambda texts: [len(t.split()) for t in texts]
    >>> cut("One two, three four five. Six.", words, 3)
    ['', 'One two,', ' ', 'three four five.', ' ', 'Six.', '']
    >>> cut("* * *", words, 3)
    ['* * *']
    """
    parts, at = [], 0
    for start, end in _spans(text, count, most):
        parts += [text[at:start], text[start:end]]
        at = end
    return [*parts, text[at:]]


def join(parts: Sequence[str], said: Sequence[str], lang: str) -> str:
    r"""The translations of the pieces of `parts`, with the separators that stood there.

    Args:
        parts: as `cut` makes them.
        said: of each piece.
        lang: of the translations; says whether there is a space where the source needs none.

    >>> join(["", "كيف حالك؟", "", "أنا بخير.", "\n"], ["How are you?", "I am well."], "en")
    'How are you? I am well.\n'
    """
    whole = [parts[0]]
    for number, text in enumerate(said):
        after = parts[2 * number + 2]
        if not after and number + 1 < len(said) and lang not in _UNSPACED:
            # inside a word there is none
            after = "" if parts[2 * number + 1][-1].isalnum() else " "
        whole += [text, after]
    return "".join(whole)


def _spans(text: str, count: Count, most: int) -> list[Span]:
    found = [
        (block.start() + start, block.start() + end)
        for block in _BLOCK.finditer(text)
        for start, end in sentence_spans(block[0])
    ]
    return [
        span
        for start, end in found
        if _SAYS.search(text, start, end)
        for span in _fitting(text, (start, end), count, most)
        if _SAYS.search(text, *span)
    ]


def _fitting(text: str, span: Span, count: Count, most: int) -> list[Span]:
    """The span, or parts of it that have at most `most` tokens."""
    if _sizes(text, [span], count, most)[0] <= most:
        return [span]
    for mark in (_CLAUSE, _WORD):
        units = _units(text, span, mark)
        if len(units) > 1:
            alone = set(units)
            return [
                part
                for group in _packed(units, _sizes(text, units, count, most), most)
                for part in (_fitting(text, group, count, most) if group in alone else [group])
            ]
    middle = (span[0] + span[1]) // 2
    if middle == span[0]:  # one character; some stand for whole phrases
        return [span]
    halves = ((span[0], middle), (middle, span[1]))
    return [part for half in halves for part in _fitting(text, half, count, most)]


def _sizes(text: str, spans: list[Span], count: Count, most: int) -> list[int]:
    """Tokens of each span; of those that are too long in any case, a guess."""
    short = [span for span in spans if span[1] - span[0] <= most * _LONGEST_TOKEN]
    known = dict(zip(short, count([text[a:b] for a, b in short]), strict=True))
    return [known.get(span, most + (span[1] - span[0]) // 4) for span in spans]


def _units(text: str, span: Span, mark: regex.Pattern[str]) -> list[Span]:
    found, at = [], span[0]
    for gap in mark.finditer(text, *span):
        if at < gap.start() < span[1]:
            found.append((at, gap.start()))
            at = gap.end()
    return [*found, (at, span[1])] if at < span[1] else found


def _packed(units: list[Span], sizes: list[int], most: int) -> list[Span]:
    """Neighbours together, in groups of about the same size and of at most `most` tokens."""
    groups = -(-sum(sizes) // most)
    aim = sum(sizes) / groups
    packed, held = [units[0]], sizes[0]
    for unit, size in zip(units[1:], sizes[1:], strict=True):
        if held + size > most or held >= aim:
            packed.append(unit)
            held = size
        else:
            packed[-1] = (packed[-1][0], unit[1])
            held += size
    return packed
