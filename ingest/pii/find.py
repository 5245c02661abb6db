"""Find e-mail addresses, telephone numbers, IBANs, payment cards and IP addresses in a text.

Digits of all decimal systems count. Values that have a checksum must pass it. Numbers that only
look similar, such as years, prices, dates, scores and ISBNs, are ignored.
"""

from __future__ import annotations

import ipaddress
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import regex

from ingest.pii.phones import find_phones
from ingest.text import FORMAT_CONTROLS

KINDS = ("email", "iban", "card", "ip", "phone")


class Match(NamedTuple):
    """One match in a text: text[start:end], its kind, and its value independent of format."""

    start: int
    end: int
    kind: str
    value: str


# Arabic words are often written onto a value without a space, so only Latin letters, digits and
# underscores next to it show that it is part of something longer.
_LATIN = r"[\p{Latin}\d_]"
# The local part is Latin, with any other letter before it; or else it has other letters up to the
# @. The domain likewise: if its last label is Latin, other letters may follow.
_EMAIL = regex.compile(
    rf"(?:(?<!{_LATIN}[.+%\-]?){_LATIN}[\p{{Latin}}\d_.+%\-]{{0,63}}+"
    r"|(?<![\w.+%\-])[\w.+%\-]{0,63}(?![\p{Latin}\d_])\w)@(?:"
    rf"(?:[\p{{Latin}}\d](?:[\p{{Latin}}\d\-]{{0,62}})\.){{1,8}}\p{{Latin}}{{2,24}}(?!{_LATIN}|@)"
    r"|(?:[\p{L}\p{M}\d](?:[\p{L}\p{M}\d\-]{0,62})\.){1,8}\p{L}{2,24}(?![\w@]))"
)
_IBAN = regex.compile(
    rf"(?<!{_LATIN})[A-Z]{{2}}\d{{2}}(?:[ \-]?[A-Z0-9]{{1,4}}+){{3,9}}(?!{_LATIN})"
)
_CARD = regex.compile(
    r"(?<![\p{Latin}\d_.,:/=#+\-])[3-6]\d{3}(?:[ \-]?\d){10,15}(?![\p{Latin}\d_%]|[.,:\-]\d)"
)
_CARD_LENGTHS = (14, 15, 16, 19)
_VERSION = r"(?<!\bv\.? ?)(?<!version )(?<!(?:إصدار|الإصدار|نسخة|النسخة) )"
_IPV4 = regex.compile(
    rf"(?<![\p{{Latin}}\d_.]){_VERSION}\d{{1,3}}(?:\.\d{{1,3}}){{3}}(?!{_LATIN}|\.\d)"
)
_IPV6 = regex.compile(
    rf"(?<![\p{{Latin}}\d_:.])[0-9A-Fa-f]{{0,4}}(?::[0-9A-Fa-f]{{0,4}}){{2,7}}(?!{_LATIN}|:)"
)
_FORMAT_CONTROL = regex.compile(FORMAT_CONTROLS)


def find_pii(text: str) -> list[Match]:
    """Find personal data of all KINDS in a text, in order. Matches never overlap.

    >>> matches = find_pii("راسلنا: Ali@example.org أو ٠٥٠ ١٢٣ ٤٥٦٧، عام ٢٠٢٣-٢٠٢٤")
    >>> [(match.kind, match.value) for match in matches]
    [('email', 'ali@example.org'), ('phone', '0501234567')]
    """
    ascii_text = text.translate(_ascii_table())
    is_taken = bytearray(len(text))
    matches = []
    for match in (m for finder in _FINDERS for m in finder(ascii_text)):
        if not any(is_taken[match.start : match.end]):
            is_taken[match.start : match.end] = b"\1" * (match.end - match.start)
            matches.append(match)
    return sorted(matches)


class _AsciiTable(dict[int, int]):
    """Maps digits of all systems and full-width characters to ASCII, one character to one."""

    def __missing__(self, code: int) -> int:
        char = chr(code)
        digit = unicodedata.decimal(char, None)
        narrow = code - 0xFEE0 if 0xFF01 <= code <= 0xFF5E else code
        self[code] = narrow if digit is None else ord("0") + digit
        if char in "\u00a0\u202f\u2007" or _FORMAT_CONTROL.fullmatch(char):
            self[code] = ord(" ")
        elif char in "‐‑‒–−":
            self[code] = ord("-")
        return self[code]


@cache
def _ascii_table() -> _AsciiTable:
    return _AsciiTable()


def _emails(text: str) -> Iterator[Match]:
    if "@" in text:
        for match in _EMAIL.finditer(text):
            yield Match(match.start(), match.end(), "email", match[0].lower())


def _ibans(text: str) -> Iterator[Match]:
    for match in _IBAN.finditer(text):
        # The pattern may include capitalized words after the IBAN: drop them one by one.
        candidate = match[0]
        while len(value := regex.sub(r"[ \-]", "", candidate)) >= 15:
            if len(value) <= 34 and _mod_97(value) == 1:
                yield Match(match.start(), match.start() + len(candidate), "iban", value)
                break
            end = max(candidate.rfind(" "), candidate.rfind("-"))
            candidate = candidate[: max(end, 0)]


def _mod_97(iban: str) -> int:
    """Compute the checksum of ISO 7064, which is 1 for an IBAN."""
    return int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4])) % 97


def _cards(text: str) -> Iterator[Match]:
    for match in _CARD.finditer(text):
        digits = regex.sub(r"\D", "", match[0])
        if len(digits) in _CARD_LENGTHS and _is_luhn(digits) and len(set(digits)) > 2:
            yield Match(match.start(), match.end(), "card", digits)


def _is_luhn(digits: str) -> bool:
    """Check the Luhn checksum of ISO/IEC 7812: every second digit from the right is doubled."""
    doubled = [sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(map(int, digits[::-2]))) % 10 == 0


def _ips(text: str) -> Iterator[Match]:
    if text.count(".") >= 3:
        for match in _IPV4.finditer(text):
            # section and version numbers consist of single digits
            if any(len(part) > 1 for part in match[0].split(".")) and _is_ip(match[0]):
                yield Match(match.start(), match.end(), "ip", match[0])
    if text.count(":") >= 2:
        for match in _IPV6.finditer(text):
            groups = [group for group in match[0].split(":") if group]
            if len(groups) >= 3 and any(map(str.isdigit, match[0])) and _is_ip(match[0]):
                value = str(ipaddress.ip_address(match[0]))
                yield Match(match.start(), match.end(), "ip", value)


def _is_ip(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_multicast)


def _phones(text: str) -> Iterator[Match]:
    return (Match(start, end, "phone", value) for start, end, value in find_phones(text))


_FINDERS = (_emails, _ibans, _cards, _ips, _phones)  # where matches overlap, the first finder wins
