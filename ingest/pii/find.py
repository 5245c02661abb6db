"""Where a text has an e-mail address, telephone number, IBAN, payment card or IP address.

Digits of any decimal system count. What has a checksum must pass it; what only looks like a
number, such as a year, price, date, score or ISBN, is left alone.
"""

from __future__ import annotations

import ipaddress
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import regex

from ingest.pii.phones import phones
from ingest.text import FORMAT_CONTROLS

KINDS = ("email", "iban", "card", "ip", "phone")


class Found(NamedTuple):
    """One finding: text[start:end], its kind, and the value that all ways of writing it share."""

    start: int
    end: int
    kind: str
    value: str


_EMAIL = regex.compile(
    r"(?<![\w.+%\-])[\w.+%\-]{1,64}+@(?:[\p{L}\p{M}\d](?:[\p{L}\p{M}\d\-]{0,62})\.){1,8}\p{L}{2,24}(?![\w@])"
)
_IBAN = regex.compile(r"(?<![\w])[A-Z]{2}\d{2}(?:[ \-]?[A-Z0-9]{1,4}+){3,9}(?!\w)")
_CARD = regex.compile(r"(?<![\w.,:/=#+\-])[3-6]\d{3}(?:[ \-]?\d){10,15}(?![\w%]|[.,:\-]\d)")
_CARD_DIGITS = (14, 15, 16, 19)
_V4 = regex.compile(r"(?<![\w.])(?<!\bv\.? ?)(?<!version )\d{1,3}(?:\.\d{1,3}){3}(?![\w]|\.\d)")
_V6 = regex.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![\w:])")


def find_pii(text: str) -> list[Found]:
    """Everything of KINDS in a text, in its order; findings never overlap.

    >>> found = find_pii("راسلنا: Ali@example.org أو ٠٥٠ ١٢٣ ٤٥٦٧، عام ٢٠٢٣-٢٠٢٤")
    >>> [(f.kind, f.value) for f in found]
    [('email', 'ali@example.org'), ('phone', '0501234567')]
    """
    plain = text.translate(_ascii())
    taken = bytearray(len(text))
    found = []
    for one in (f for finder in _FINDERS for f in finder(plain)):
        if not any(taken[one.start : one.end]):
            taken[one.start : one.end] = b"\1" * (one.end - one.start)
            found.append(one)
    return sorted(found)


def _phones(text: str) -> Iterator[Found]:
    return (Found(start, end, "phone", value) for start, end, value in phones(text))


class _Ascii(dict[int, int]):
    """Digits of any system, and full-width signs, as ASCII; each character stays one."""

    def __missing__(self, code: int) -> int:
        char = chr(code)
        digit = unicodedata.decimal(char, None)
        plain = code - 0xFEE0 if 0xFF01 <= code <= 0xFF5E else code
        self[code] = plain if digit is None else ord("0") + digit
        if char in "\u00a0\u202f\u2007" or _CONTROL.fullmatch(char):
            self[code] = ord(" ")
        elif char in "‐‑‒–−":
            self[code] = ord("-")
        return self[code]


_CONTROL = regex.compile(FORMAT_CONTROLS)


@cache
def _ascii() -> _Ascii:
    return _Ascii()


def _emails(text: str) -> Iterator[Found]:
    if "@" in text:
        for at in _EMAIL.finditer(text):
            yield Found(at.start(), at.end(), "email", at[0].lower())


def _ibans(text: str) -> Iterator[Found]:
    for at in _IBAN.finditer(text):
        # words in capitals may follow; what is left of them must be an IBAN
        shown = at[0]
        while len(value := regex.sub(r"[ \-]", "", shown)) >= 15:
            if len(value) <= 34 and _mod_97(value) == 1:
                yield Found(at.start(), at.start() + len(shown), "iban", value)
                break
            cut = max(shown.rfind(" "), shown.rfind("-"))
            shown = shown[: max(cut, 0)]


def _mod_97(iban: str) -> int:
    """ISO 7064: 1 for an IBAN."""
    return int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97


def _cards(text: str) -> Iterator[Found]:
    for at in _CARD.finditer(text):
        digits = regex.sub(r"\D", "", at[0])
        if len(digits) in _CARD_DIGITS and _luhn(digits) and len(set(digits)) > 2:
            yield Found(at.start(), at.end(), "card", digits)


def _luhn(digits: str) -> bool:
    """ISO/IEC 7812: every second digit from the right is doubled."""
    doubled = [sum(divmod(2 * int(d), 10)) for d in digits[-2::-2]]
    return (sum(doubled) + sum(map(int, digits[::-2]))) % 10 == 0


def _addresses(text: str) -> Iterator[Found]:
    if text.count(".") >= 3:
        for at in _V4.finditer(text):
            # numbers of sections and versions have short parts
            if any(len(part) > 1 for part in at[0].split(".")) and _is_address(at[0]):
                yield Found(at.start(), at.end(), "ip", at[0])
    if text.count(":") >= 2:
        for at in _V6.finditer(text):
            groups = [group for group in at[0].split(":") if group]
            if len(groups) >= 3 and any(map(str.isdigit, at[0])) and _is_address(at[0]):
                yield Found(at.start(), at.end(), "ip", str(ipaddress.ip_address(at[0])))


def _is_address(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_multicast)


_FINDERS = (_emails, _ibans, _cards, _addresses, _phones)  # the first has a place that two claim
