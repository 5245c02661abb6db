"""Hide from a model what it must not change, and put it back into the translation.

A text is first cut at its items of markup and emoji, which are no words of a sentence. All other
items are replaced by marks of one character, so that no item is cut. Then each piece is translated
in up to three ways, until nothing is lost:

    1. every mark is a number of five digits, which models copy
    2. and simpler numbers too, and the numbers are others
    3. the text between the items is translated piece by piece

Numbers as masks suit any model: all models are trained on texts with numbers that stay as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

import regex

from ingest.numbers import ascii_digits
from ingest.translation.items import CUT_KINDS, find_items, is_number

# Two characters for private use. A text that contains such a character has an item there.
MARK, CUT_MARK = "\ue000", "\ue001"
_MARKS = regex.compile(f"[{MARK}{CUT_MARK}]")
# A mark, and the letters or digits that touch it, which a mask must not touch.
_SPACED_MARK = regex.compile(rf"(?<=([\p{{L}}\p{{M}}\p{{N}}]?)){MARK}(?=([\p{{L}}\p{{N}}]?))")
# Numbers of five digits, all different: of all masks tried, the shipped models copy these most
# often (98 of 100; see the README). Two sets, so that a second attempt differs from the first.
_MASKS = (
    ("60417", "38291", "84362", "20471", "91735", "57328", "13946", "72589"),
    ("46193", "95284", "31670", "28504", "74932", "69815", "52063", "87451"),
)
TURNS = len(_MASKS)
# A number that the model sees, with its sign and its sign of currency or percent.
NUMBER = regex.compile(
    r"(?:(?<![\w.,:/-])[-+−])?(?:\p{Sc}\s?)?\d+(?:[.,:/٫٬'’-]\d+)*+"
    r"(?:\s?(?:[%٪‰]|°[CF]?\b)|\s?\p{Sc})?"
)
_MIN_DIGITS = 3  # a shorter whole number may be written in words
_TO_ASCII = str.maketrans("٫٬٪", ".,%")


class Piece(NamedTuple):
    """A text for the model: `text` with a mark for each of `items`."""

    text: str
    items: tuple[str, ...] = ()


class Attempt(NamedTuple):
    """One way to show a piece to the model.

    Attributes:
        text: what the model is given.
        masks: each mask in `text`, and the item that it stands for.
        numbers: the numbers that the model sees and should copy.
    """

    text: str
    masks: tuple[tuple[str, str], ...]
    numbers: tuple[str, ...]


class Restored(NamedTuple):
    """A translation with its items, and what the model lost.

    Attributes:
        text: the translation.
        lost_masks: whether a mask is missing or repeated.
        lost_numbers: the numbers that are missing.
    """

    text: str
    lost_masks: bool
    lost_numbers: tuple[str, ...]


def mark_items(text: str) -> Piece:
    """Replace the items of a text by marks. Items that touch share a mark.

    >>> mark_items("Write to a@b.org 🐶") == Piece(f"Write to {MARK} {CUT_MARK}", ("a@b.org", "🐶"))
    True
    """
    parts: list[str] = []
    items: list[str] = []
    position = 0
    for start, end, kind in find_items(text):
        mark = CUT_MARK if kind in CUT_KINDS else MARK
        if items and start == position and parts[-1] == mark:
            items[-1] += text[start:end]
        else:
            parts += [text[position:start], mark]
            items.append(text[start:end])
        position = end
    return Piece("".join([*parts, text[position:]]), tuple(items))


def split_items(
    parts: list[str], items: Sequence[str], *, ascii_numbers: bool
) -> tuple[list[str], list[Piece]]:
    """Distribute the items of a marked text that was cut.

    Args:
        parts: separators and pieces in turn, as `pieces.cut` returns them.
        items: the items of all of them, in order.
        ascii_numbers: whether the target language writes numbers in ASCII digits.

    Returns:
        The parts, with their items in the separators; and the pieces, each with its items.

    >>> parts, pieces = split_items(["", f"at {MARK}", f" {CUT_MARK}"], ["١.١.١.١", "🐶"],
    ...                             ascii_numbers=True)
    >>> parts[2], pieces[0].items
    (' 🐶', ('1.1.1.1',))
    """
    if not items:
        return parts, list(map(Piece, parts[1::2]))
    rest = iter(items)
    split = [Piece(part, tuple(islice(rest, len(_MARKS.findall(part))))) for part in parts]
    # a piece keeps its marks, which tell how it ends
    texts = [part.text if at % 2 else unmark(part) for at, part in enumerate(split)]
    pieces = split[1::2]
    if ascii_numbers:
        pieces = [
            piece._replace(items=tuple(_in_ascii(i) if is_number(i) else i for i in piece.items))
            for piece in pieces
        ]
    return texts, pieces


def unmark(piece: Piece) -> str:
    """Put the items back in place of the marks."""
    rest = iter(piece.items)
    return _MARKS.sub(lambda _: next(rest), piece.text) if piece.items else piece.text


def mark_numbers(piece: Piece, numbers: Collection[str], *, ascii_numbers: bool) -> Piece:
    """Replace some numbers of a piece by marks too.

    >>> mark_numbers(Piece("from 7:30 to 8"), ["7:30"], ascii_numbers=True).items
    ('7:30',)
    """
    parts, items, position = [], list(piece.items), 0
    for match in NUMBER.finditer(piece.text):
        if match[0] in numbers:
            before = piece.text[: match.start()].count(MARK) + len(items) - len(piece.items)
            items.insert(before, _in_ascii(match[0]) if ascii_numbers else match[0])
            parts += [piece.text[position : match.start()], MARK]
            position = match.end()
    return Piece("".join([*parts, piece.text[position:]]), tuple(items))


def show(piece: Piece, turn: int) -> Attempt | None:
    """Show a piece to the model, with masks in place of marks.

    Args:
        piece: marked text.
        turn: 0 or 1, which selects the masks.

    Returns:
        None if the piece has more items than there are masks.

    >>> show(Piece(f"Write to {MARK} by 8:15", ("a@b.org",)), 0)
    Attempt(text='Write to 60417 by 8:15', masks=(('60417', 'a@b.org'),), numbers=('8:15',))
    """
    numbers = tuple(number for number in NUMBER.findall(piece.text) if _is_checked(number))
    if not piece.items:
        return Attempt(piece.text, (), numbers)
    digits = ascii_digits(piece.text)
    masks = [mask for mask in _MASKS[turn] if mask not in digits][: len(piece.items)]
    if len(masks) < len(piece.items):
        return None
    rest = iter(masks)
    text = _SPACED_MARK.sub(
        lambda match: f"{' ' * bool(match[1])}{next(rest)}{' ' * bool(match[2])}", piece.text
    )
    return Attempt(text, tuple(zip(masks, piece.items, strict=True)), numbers)


def restore(attempt: Attempt, translation: str) -> Restored:
    """Replace the masks in a translation by their items, and find what is missing.

    >>> attempt = Attempt("Write to 60417 by 8:15", (("60417", "a@b.org"),), ("8:15",))
    >>> restore(attempt, "اكتب إلى 60,417 قبل 8")
    Restored(text='اكتب إلى a@b.org قبل 8', lost_masks=False, lost_numbers=('8:15',))
    """
    digits = _in_ascii(translation)
    lost = tuple(
        number
        for number in dict.fromkeys(attempt.numbers)
        if _count(_in_ascii(number), digits) < attempt.numbers.count(number)
    )
    spans, lost_masks = [], False
    for mask, item in attempt.masks:
        found = [m.span() for m in _pattern(mask).finditer(digits)]
        lost_masks |= len(found) != 1
        spans += [(*span, item) for span in found[:1]]
    parts, position = [], 0
    for start, end, item in sorted(spans):
        parts += [translation[position:start], item]
        position = end
    return Restored("".join([*parts, translation[position:]]), lost_masks, lost)


def has_items(piece: Piece) -> bool:
    """Whether a piece has items, or numbers that the model should copy."""
    return bool(piece.items) or any(map(_is_checked, NUMBER.findall(piece.text)))


def is_whole(number: str) -> bool:
    """Whether a number is nothing but digits.

    >>> is_whole("2024"), is_whole("7:30"), is_whole("30%")
    (True, False, False)
    """
    return number.isdecimal()


def _is_checked(number: str) -> bool:
    return not is_whole(number) or len(number) >= _MIN_DIGITS


def _count(number: str, text: str) -> int:
    return len(_pattern(number).findall(text))


@lru_cache(maxsize=1 << 12)
def _pattern(number: str) -> regex.Pattern[str]:
    """Return a pattern for a number; a whole number may have marks between thousands."""
    if is_whole(number):
        groups = number[: len(number) % 3], *regex.findall(r"\d{3}", number[len(number) % 3 :])
        body = "[,.'’ ]?".join(filter(None, groups))
    else:
        body = regex.escape(number)
    return regex.compile(rf"(?<!\d)(?<!\d[.,]){body}(?!\d|[.,]\d)")


def _in_ascii(text: str) -> str:
    return text if text.isascii() else ascii_digits(text).translate(_TO_ASCII)
