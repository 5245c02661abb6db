"""Render labelled pages of text as HTML of many kinds of sites, for training.

The themes are in themes.toml. Every line of a page becomes one block of visible text, in order, and
nothing else is visible. Invisible content is left out, since the reader drops it.
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

_TEASER = 40  # a longer line of navigation, in characters, is a teaser for a story, not a section
_SUMMARY = 110  # a longer teaser is a summary
_OTHER_THEME = 0.15  # probability that a run is drawn from another theme
_SEMANTIC = re.compile(r"(</?)(?:nav|article|main|header|footer|aside|section|figure|figcaption)\b")
_NAMES = re.compile(r' (?:class|id)="([^"]*)"')
_ELEMENT = re.compile(r"([a-z0-9-]+)((?:[#.][^#.\[>]+)*)((?:\[[^\]]*\])*)")
_BLOCK = frozenset(
    "article aside blockquote button center dd div dl dt figcaption figure footer form h1 h2 h3 h4 "
    "h5 header li main nav ol option p pre section select table tbody td tr ul".split()
)


class Line(NamedTuple):
    """A line of a page that is not blank; `article` is 0 for boilerplate."""

    text: str
    role: str
    article: int


class Theme(NamedTuple):
    """The design of a site: for each kind of run, the markups to choose from."""

    name: str
    markups: dict[str, list[str]]


@cache
def _load_themes() -> tuple[Theme, ...]:
    path = Path(__file__).with_name("themes.toml")
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    plain = tables["plain"]
    return tuple(Theme(name, {**plain, **table}) for name, table in tables.items())


def themes() -> list[Theme]:
    """Return all themes. Kinds that a theme does not define are as in the first theme, `plain`."""
    return list(_load_themes())


def render(page: Sequence[Line], theme: Theme, rng: random.Random) -> str:
    """Render a page as an HTML document."""
    return _disguise(_Writer(theme, rng).document(list(page)), rng)


class _Writer:
    """Write one page. A kind of run mostly keeps the markup that was first drawn for it."""

    def __init__(self, theme: Theme, rng: random.Random) -> None:
        self.theme, self.rng = theme, rng
        self.chosen: dict[str, str] = {}
        self.emphasis = rng.choice((0.0, 0.1, 0.4))  # share of paragraphs with inline markup

    def markup(self, kind: str) -> str:
        if kind not in self.chosen or self.rng.random() < 0.1:
            from_other = kind not in _ZONES and self.rng.random() < _OTHER_THEME
            theme = self.rng.choice(_load_themes()) if from_other else self.theme
            self.chosen[kind] = self.rng.choice(theme.markups[kind])
        return self.chosen[kind]

    def wrap(self, path: str, inner: str) -> str:
        """Wrap `inner` in the elements of a path such as `ul.menu>li>a`; `-` is an empty path."""
        opened, closed = "", ""
        for step in path.split(">") if path not in ("-", "") else ():
            match = _ELEMENT.fullmatch(step)
            if match is None:
                raise ValueError(f"themes.toml: {step!r} is not an element")
            tag, names, attributes = match.groups()
            classes = " ".join(n[1:] for n in re.findall(r"\.[^#.]+", names))
            ids = " ".join(n[1:] for n in re.findall(r"#[^#.]+", names))
            written = "".join(f' {k}="{v}"' for k, v in (("id", ids), ("class", classes)) if v)
            pairs = re.findall(r"\[([^=\]]*)=([^\]]*)\]", attributes)
            written += "".join(f' {key}="{value}"' for key, value in pairs)
            number = str(self.rng.randrange(10 ** self.rng.randint(1, 6)))
            opened += f"<{tag}{written}>".replace("{n}", number)
            closed = f"</{tag}>{closed}"
        return opened + inner + closed

    def zone(self, kind: str, inner: str) -> str:
        for _ in range(self.rng.choice((0, 0, 0, 1, 2))):
            inner = self.wrap(self.markup("layer"), inner)
        return self.wrap(self.markup(kind), inner) if inner else ""

    def document(self, lines: list[Line]) -> str:
        rng, title = self.rng, ""
        if lines and lines[0].role == "headline" and rng.random() < 0.85:
            title = f"<title>{escape(lines.pop(0).text)}</title>"
        inside = [n for n, x in enumerate(lines) if x.article]
        start, end = (inside[0], inside[-1] + 1) if inside else (0, len(lines))
        if start and rng.random() < 0.4:  # lines above the headline, in its own column
            start -= min(start, rng.randrange(1, 5))
        after = self.runs(lines[end:])
        near = rng.randrange(len(after) + 1) if rng.random() < 0.6 else 0
        feet = next((n for n, run in enumerate(after) if run[0] == "credit"), len(after))
        feet = max(near, min(feet, len(after)))
        body = self.zone("top", self.write(self.runs(lines[:start])))
        main = self.articles(lines[start:end]) + self.write(after[:near])
        columns = self.zone("main", main) + self.zone("side", self.write(after[near:feet]))
        body += self.wrap(self.markup("columns"), columns)
        body += self.zone("foot", self.write(after[feet:]))
        lang = rng.choice(("", ' lang="ar" dir="rtl"', ' lang="en"', ' dir="rtl"'))
        page = self.wrap(self.markup("page"), body)
        names = rng.choice(("", ' class="home"', ' class="single single-post"', ' id="top"'))
        return f"<!DOCTYPE html><html{lang}><head>{title}</head><body{names}>{page}</body></html>"

    def articles(self, lines: list[Line]) -> str:
        article, articles = 0, []
        for line in lines:
            article = line.article or article
            articles.append(article)
        html = ""
        for _, group in groupby(zip(articles, lines, strict=True), lambda pair: pair[0]):
            html += self.wrap(self.markup("article"), self.article([line for _, line in group]))
        return html

    def article(self, lines: list[Line]) -> str:
        """Write the head (headline, byline, date), the text, and the lines after it."""
        flow = [n for n, x in enumerate(lines) if x.role in ("body", "subheading") and x.article]
        start, end = (flow[0], flow[-1] + 1) if flow else (len(lines), len(lines))
        head = self.wrap(self.markup("head"), self.write(self.runs(lines[:start])))
        text = self.write(self.runs(lines[start:end]))
        return (head if start else "") + (self.wrap(self.markup("flow"), text) if text else "") + (
            self.write(self.runs(lines[end:])))  # fmt: skip

    def runs(self, lines: list[Line]) -> list[tuple[str, list[Line]]]:
        """Group consecutive lines of a kind; some long runs are cut in two."""
        kinds = [_kind(line) for line in lines]
        for n, kind in enumerate(
            kinds
        ):  # a date or a section between teasers belongs to their list
            if kind == "menu" and "teaser" in kinds[n - 1 : n] and "teaser" in kinds[n + 1 : n + 2]:
                kinds[n] = "teaser"
        runs: list[tuple[str, list[Line]]] = []
        for kind, line in zip(kinds, lines, strict=True):
            if runs and runs[-1][0] == kind and self.rng.random() > 0.03:
                runs[-1][1].append(line)
            else:
                runs.append((kind, [line]))
        return [(self.run_kind(kind, run), run) for kind, run in runs]

    def run_kind(self, kind: str, run: list[Line]) -> str:
        if kind == "body" and len(run) > 2:
            if max(len(x.text) for x in run) < 60 and self.rng.random() < 0.4:
                return "cells"
            short = sum(len(x.text) < 90 for x in run) > 0.8 * len(run)
            return "list" if short and self.rng.random() < 0.7 else kind
        return kind

    def write(self, runs: list[tuple[str, list[Line]]]) -> str:
        return "".join(self.run(kind, lines) for kind, lines in runs)

    def run(self, kind: str, lines: list[Line]) -> str:
        box, _, item = self.markup(kind).rpartition(" | ")
        html = ""
        for number, line in enumerate(lines):
            path = item
            if kind == "teaser" and _is_summary(line):
                path = self.markup("summary")
            elif (
                kind in ("menu", "teaser", "widget") and number == 0 and len(lines) > 2
                and self.rng.random() < 0.3
            ):  # fmt: skip
                path = self.markup("title")
            elif self.rng.random() < 0.04:
                path = self.markup(kind).rpartition(" | ")[2]
            path = _fit_path(path, box)
            text = self.wrap(path, self.inline(line, path))
            html += text if _is_block(path) else text + "<br>"
        return self.wrap(_fit_path(box, ""), html)

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
    if line.role == "code" and line.article:
        return "listing"
    return {"comment": "body", "reference": "list"}.get(line.role, line.role)


def _is_summary(line: Line) -> bool:
    return len(line.text) > _SUMMARY or line.text.endswith((".", "…", "..."))


def _fit_path(path: str, box: str) -> str:
    """Add the elements that an item needs inside a table or a list of options."""
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


def _disguise(html: str, rng: random.Random) -> str:
    """Hash or remove the names on some pages, and replace semantic tags by plain ones on some."""
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
