"""Read subtitles (SubRip and WebVTT) as text: one line per cue, without numbers and times."""

from __future__ import annotations

import html
import re

_TIME = r"(?:\d{1,3}:)?\d{1,2}:\d{2}[.,]\d{1,3}"
_TIMES = re.compile(rf"[ \t]*{_TIME}[ \t]*-->[ \t]*{_TIME}(?:[ \t].*)?")
_SUBRIP = re.compile(rf"\ufeff?\s*(?:\d+\s+)?{_TIME}[ \t]*-->")
_WEBVTT = re.compile(r"\ufeff?WEBVTT(?=\s|\Z)")
_NOT_CUES = ("NOTE", "STYLE", "REGION")
_MARKUP = re.compile(r"</?[A-Za-z][^<>\n]{0,200}>|<\d[\d:.]{3,}>|\{\\[^{}\n]{0,200}\}")
_SPEAKER = re.compile(r"[-\u2010-\u2015][^-]")  # a dash in front of what another person says


def is_subtitles(text: str) -> bool:
    r"""Return whether a text is a file of subtitles.

    >>> is_subtitles("1\n00:00:01,000 --> 00:00:02,500\nHello.\n"), is_subtitles("10:30 --> 11:00")
    (True, False)
    """
    return _SUBRIP.match(text) is not None or _WEBVTT.match(text) is not None


def subtitle_text(text: str) -> str:
    r"""Return the text of each cue on a line; two speakers in a cue are two lines.

    >>> subtitle_text("WEBVTT\n\nNOTE x\n\n1\n00:01.000 --> 00:02.000\n<i>One</i>\nline\n")
    'One line\n'
    """
    lines = re.split(r"\r\n?|\n", text)
    is_time = [_TIMES.fullmatch(line) is not None for line in lines]
    cues: list[str] = []
    in_cue = False
    for at, line in enumerate(lines):
        if is_time[at]:
            in_cue = True
            cues.append("")
        elif _is_title(lines, is_time, at) or (not line.strip() and in_cue and cues[-1]):
            in_cue = False
        elif in_cue and (words := html.unescape(_MARKUP.sub("", line)).strip()):
            is_next = cues[-1] and _SPEAKER.match(words)
            separator = "\n" if is_next else " " if cues[-1] else ""
            cues[-1] += separator + words
    return "".join(f"{cue}\n" for cue in cues if cue)


def _is_title(lines: list[str], is_time: list[bool], at: int) -> bool:
    """Return whether a line is the number or name of the next cue, or begins a block of notes."""
    line = lines[at].strip()
    if line.split(" ")[0] in _NOT_CUES and (at == 0 or not lines[at - 1].strip()):
        return True
    following = at + 1
    while following < len(lines) and not lines[following].strip() and line.isdecimal():
        following += 1
    if following >= len(lines) or not is_time[following] or not line:
        return False
    return line.isdecimal() or at == 0 or not lines[at - 1].strip()
