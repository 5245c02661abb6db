"""Labelled pages of text in the markup of many kinds of sites, for training.

The designs are in themes.toml. Every line of a page becomes one block of visible text, in order,
and nothing else is visible; what a browser does not show is left out, since the reader drops it.
"""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Sequence
from functools import cache
from html import escape
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

_FURNITURE = frozenset(("nav", "widget", "ad", "credit", "code"))
_TEASER = 40  # characters above which a line of navigation names a story, not a section
_SUMMARY = 110
_STRANGE = 0.15  # chance that a run looks as on another site
_SEMANTIC = re.compile(r"(</?)(?:nav|article|main|header|footer|aside|section|figure|figcaption)\b")
_NAMES = re.compile(r' (?:class|id)="([^"]*)"')
_ELEMENT = re.compile(r"([a-z0-9-]+)((?:[#.][^#.\[>]+)*)((?:\[[^\]]*\])*)")
_BLOCK = frozenset(
    "article aside blockquote button center dd div dl dt figcaption figure footer form h1 h2 h3 h4 "
    "h5 header li main nav ol option p pre section select table tbody td tr ul".split()
)


class Line(NamedTuple):
    """One line of a page that is not blank; `article` is 0 for page furniture."""

    text: str
    role: str
    article: int


class Theme(NamedTuple):
    """A site's design: for each kind of run, the ways it may be written."""

    name: str
    ways: dict[str, list[str]]


@cache
def _themes() -> tuple[Theme, ...]:
    path = Path(__file__).with_name("themes.toml")
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    plain = tables["plain"]
    return tuple(Theme(name, {**plain, **table}) for name, table in tables.items())


def themes() -> list[Theme]:
    """All designs; what one does not say is as in the first, `plain`."""
    return list(_themes())


def render(page: Sequence[Line], theme: Theme, rng: random.Random) -> str:
    """The page as an HTML document."""
    return _disguised(_Writer(theme, rng).document(list(page)), rng)


class _Writer:
    """Writes one page. What was drawn for a kind of run mostly stays for the page."""

    def __init__(self, theme: Theme, rng: random.Random) -> None:
        self.theme, self.rng = theme, rng
        self.drawn: dict[str, str] = {}
        self.emphasis = rng.choice((0.0, 0.1, 0.4))  # share of paragraphs with inline markup

    def way(self, kind: str) -> str:
        if kind not in self.drawn or self.rng.random() < 0.1:
            strange = kind not in _ZONES and self.rng.random() < _STRANGE
            theme = self.rng.choice(_themes()) if strange else self.theme
            self.drawn[kind] = self.rng.choice(theme.ways[kind])
        return self.drawn[kind]

    def wrap(self, path: str, inner: str) -> str:
        """`inner` inside the elements of a path such as `ul.menu>li>a`; `-` is no element."""
        opened, closed = "", ""
        for step in path.split(">") if path not in ("-", "") else ():
            match = _ELEMENT.fullmatch(step)
            if match is None:
                raise ValueError(f"themes.toml: {step!r} is no element")
            tag, names, attributes = match.groups()
            classes = " ".join(n[1:] for n in re.findall(r"\.[^#.]+", names))
            ids = " ".join(n[1:] for n in re.findall(r"#[^#.]+", names))
            made = "".join(f' {k}="{v}"' for k, v in (("id", ids), ("class", classes)) if v)
            pairs = re.findall(r"\[([^=\]]*)=([^\]]*)\]", attributes)
            made += "".join(f' {key}="{value}"' for key, value in pairs)
            number = str(self.rng.randrange(10 ** self.rng.randint(1, 6)))
            opened += f"<{tag}{made}>".replace("{n}", number)
            closed = f"</{tag}>{closed}"
        return opened + inner + closed

    def zone(self, kind: str, inner: str) -> str:
        for _ in range(self.rng.choice((0, 0, 0, 1, 2))):
            inner = self.wrap(self.way("layer"), inner)
        return self.wrap(self.way(kind), inner) if inner else ""

    def document(self, lines: list[Line]) -> str:
        rng, title = self.rng, ""
        if lines and lines[0].role == "headline" and rng.random() < 0.85:
            title = f"<title>{escape(lines.pop(0).text)}</title>"
        inside = [n for n, x in enumerate(lines) if x.article]
        start, end = (inside[0], inside[-1] + 1) if inside else (0, len(lines))
        if start and rng.random() < 0.4:  # what stands above the headline in its own column
            start -= min(start, rng.randrange(1, 5))
        after = self.runs(lines[end:])
        near = rng.randrange(len(after) + 1) if rng.random() < 0.6 else 0
        feet = next((n for n, run in enumerate(after) if run[0] == "credit"), len(after))
        feet = max(near, min(feet, len(after)))
        body = self.zone("top", self.written(self.runs(lines[:start])))
        main = self.articles(lines[start:end]) + self.written(after[:near])
        columns = self.zone("main", main) + self.zone("side", self.written(after[near:feet]))
        body += self.wrap(self.way("columns"), columns)
        body += self.zone("foot", self.written(after[feet:]))
        lang = rng.choice(("", ' lang="ar" dir="rtl"', ' lang="en"', ' dir="rtl"'))
        page = self.wrap(self.way("page"), body)
        names = rng.choice(("", ' class="home"', ' class="single single-post"', ' id="top"'))
        return f"<!DOCTYPE html><html{lang}><head>{title}</head><body{names}>{page}</body></html>"

    def articles(self, lines: list[Line]) -> str:
        owner, owners = 0, []
        for line in lines:
            owner = line.article or owner
            owners.append(owner)
        made = ""
        for _, group in groupby(zip(owners, lines, strict=True), lambda pair: pair[0]):
            made += self.wrap(self.way("article"), self.article([line for _, line in group]))
        return made

    def article(self, lines: list[Line]) -> str:
        """Head (headline, byline, date), flow, and what follows."""
        flow = [n for n, x in enumerate(lines) if x.role in ("body", "subheading") and x.article]
        start, end = (flow[0], flow[-1] + 1) if flow else (len(lines), len(lines))
        head = self.wrap(self.way("head"), self.written(self.runs(lines[:start])))
        text = self.written(self.runs(lines[start:end]))
        return (head if start else "") + (self.wrap(self.way("flow"), text) if text else "") + (
            self.written(self.runs(lines[end:])))  # fmt: skip

    def runs(self, lines: list[Line]) -> list[tuple[str, list[Line]]]:
        """Consecutive lines of a kind; a long run is at times cut in two."""
        kinds = [_kind(line) for line in lines]
        for n, kind in enumerate(kinds):  # a date or a section between stories is part of the list
            if kind == "menu" and "teaser" in kinds[n - 1 : n] and "teaser" in kinds[n + 1 : n + 2]:
                kinds[n] = "teaser"
        made: list[tuple[str, list[Line]]] = []
        for kind, line in zip(kinds, lines, strict=True):
            if made and made[-1][0] == kind and self.rng.random() > 0.03:
                made[-1][1].append(line)
            else:
                made.append((kind, [line]))
        return [(self.as_list(kind, run), run) for kind, run in made]

    def as_list(self, kind: str, run: list[Line]) -> str:
        if kind == "body" and len(run) > 2:
            if max(len(x.text) for x in run) < 60 and self.rng.random() < 0.4:
                return "cells"
            short = sum(len(x.text) < 90 for x in run) > 0.8 * len(run)
            return "list" if short and self.rng.random() < 0.7 else kind
        return kind

    def written(self, runs: list[tuple[str, list[Line]]]) -> str:
        return "".join(self.run(kind, lines) for kind, lines in runs)

    def run(self, kind: str, lines: list[Line]) -> str:
        box, _, item = self.way(kind).rpartition(" | ")
        made = ""
        for number, line in enumerate(lines):
            path = item
            if kind == "teaser" and _is_summary(line):
                path = self.way("summary")
            elif (
                kind in ("menu", "teaser", "widget") and number == 0 and len(lines) > 2
                and self.rng.random() < 0.3
            ):  # fmt: skip
                path = self.way("title")
            elif self.rng.random() < 0.04:
                path = self.way(kind).rpartition(" | ")[2]
            path = _fitting(path, box)
            text = self.wrap(path, self.inline(line, path))
            made += text if _is_block(path) else text + "<br>"
        return self.wrap(_fitting(box, ""), made)

    def inline(self, line: Line, path: str) -> str:
        text, linked = escape(line.text), path.rsplit(">", 1)[-1].startswith("a")
        if line.role in ("nav", "credit", "widget") and not linked and " | " in text:
            return " | ".join(f"<a>{part}</a>" for part in text.split(" | "))
        words = text.split(" ")
        if line.role in ("body", "caption", "credit") and len(words) > 6 and (
            self.rng.random() < self.emphasis):  # fmt: skip
            start = self.rng.randrange(len(words) - 3)
            end = start + self.rng.randrange(1, 4)
            tag = self.rng.choice(("a", "a", "b", "strong", "em", "span"))
            if not (tag == "a" and linked):
                words[start] = f"<{tag}>{words[start]}"
                words[end - 1] = f"{words[end - 1]}</{tag}>"
        return " ".join(words)


_ZONES = frozenset(
    ("page", "top", "columns", "main", "article", "head", "flow", "side", "foot", "layer")
)


def _kind(line: Line) -> str:
    if line.role == "nav":
        return "teaser" if len(line.text) > _TEASER else "menu"
    return "listing" if line.role == "code" and line.article else line.role


def _is_summary(line: Line) -> bool:
    return len(line.text) > _SUMMARY or line.text.endswith((".", "…", "..."))


def _fitting(path: str, box: str) -> str:
    """The path of an item with what a table or a list of options needs around it."""
    first, last = (re.split(r"[#.\[>]", part)[0] for part in (path, box.rsplit(">", 1)[-1]))
    if last == "select":
        return "option"
    missing = {"table": "tr>td>", "tbody": "tr>td>", "tr": "td>"}.get(last, "")
    if missing:
        inner = re.sub(r"^(?:tr[^>]*>)?(?:td[^>]*(?:>|$))?", "", path)
        return missing + inner if inner not in ("", "-") else missing[:-1]
    need = {"td": "table>tbody>tr>", "tr": "table>tbody>"}.get(first, "")
    return need + path


def _is_block(path: str) -> bool:
    return any(re.match(r"[a-z0-9-]+", step)[0] in _BLOCK for step in path.split(">")  # type: ignore[index]
               if step != "-")  # fmt: skip


def _disguised(html: str, rng: random.Random) -> str:
    """Names hashed or gone, and telling tags made plain, on some pages."""
    chance = rng.random()
    if chance < 0.12:
        html = _NAMES.sub("", html)
    elif chance < 0.24:
        known: dict[str, str] = {}
        start = rng.choice(("css-", "sc-", "_", "jsx-", "c"))

        def hashed(match: re.Match[str]) -> str:
            name = known.setdefault(match[1], start + f"{rng.randrange(1 << 24):x}")
            return f' class="{name}"'

        html = _NAMES.sub(hashed, html)
    if rng.random() < 0.15:
        html = re.sub(r"(</?)time\b", r"\1span", _SEMANTIC.sub(r"\1div", html))
    return html
