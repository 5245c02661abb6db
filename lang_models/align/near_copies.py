"""Sites with near-copies: each English document in many versions, some translated to Arabic.

The documents are consecutive pairs of lines of one source. A chain of edits, from one sentence to
half of the page, makes the older versions. The Arabic page translates one version, not always the
newest. Both sides of a pair of lines are edited together, so the text of each version is known in
both languages.
"""

from __future__ import annotations

import html
import json
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

SITES: dict[str, tuple[str, ...]] = {
    "vue": ("parallel/vue_docs.tsv",),
    "handbook": ("parallel/debian_handbook.tsv",),
    "web": ("parallel/mozilla_www.tsv", "parallel/opensource_guide.tsv"),
    "projects": ("parallel/raspberrypi_projects.tsv",),
    "news": ("bench/align/clean", "bench/mt/flores_devtest.tsv"),
}
SEEN = ("vue", "handbook", "web", "projects")  # the encoder was trained on them
ADDRESSES = ("none", "misleading")
_DOCUMENTS = 90  # of a site
_SENTENCE = re.compile(r"(?<=[.!?؟])\s+")
_DIGITS = re.compile(r"\d+(?:\.\d+)*")
_CODE = (
    "npm install {name}@{n}.{m}", "{name} --port {n}{m}0 --verbose", "git checkout v{n}.{m}",
    "import {{ {name} }} from '{name}/{n}'", "const {name} = create({{ size: {n}{m} }})",
    "sudo apt install {name}={n}.{m}-1", "curl https://example.org/{name}/{n}.{m}.tar.gz",
)  # fmt: skip


class Line(NamedTuple):
    """A heading, a paragraph or a line of code in both languages."""

    kind: str  # "h2", "p" or "pre"
    ar: str
    en: str


Version = list[Line]


class Page(NamedTuple):
    """A page of the site."""

    name: str  # document and version
    lang: str
    url: str | None
    html: str


def read_documents(shared: Path, site: str, dice: random.Random) -> list[Version]:
    """Cut the sources of a site into documents of 10 to 50 lines."""
    documents: list[Version] = []
    for source in SITES[site]:
        path = shared / source
        if path.is_dir():
            for file in sorted(path.glob("*.en")):
                en = file.read_text("utf-8").splitlines()
                ar = file.with_suffix(".ar").read_text("utf-8").splitlines()
                documents.append([_line(a, b) for a, b in zip(ar, en, strict=True)])
            continue
        rows = [x.split("\t")[:2] for x in path.read_text("utf-8").splitlines()]
        pairs = [_line(row[1], row[0]) for row in rows if len(row) == 2 and all(row)]
        at = 0
        while at + 10 <= len(pairs):
            size = dice.randint(10, 50)
            documents.append(pairs[at : at + size])
            at += size
    dice.shuffle(documents)
    return [_with_code(x, dice) for x in documents[:_DOCUMENTS]]


def _line(ar: str, en: str) -> Line:
    short = len(en) < 60 and not re.search(r"[.!?:,;]$", en)
    return Line("h2" if short else "p", ar, en)


def _with_code(document: Version, dice: random.Random) -> Version:
    """Put a line of code into three quarters of the documents, more in some."""
    out = list(document)
    for _ in range(dice.choice([0, 1, 1, 3])):
        out.insert(dice.randrange(2, len(out)), _code(document, dice))
    return out


def _code(document: Version, dice: random.Random) -> Line:
    words = [w.lower() for line in document for w in re.findall(r"[A-Za-z]{4,}", line.en)]
    name = dice.choice(words or ["site"])
    code = dice.choice(_CODE).format(name=name, n=dice.randint(1, 20), m=dice.randint(0, 9))
    return Line("pre", code, code)


def edit(version: Version, others: Sequence[Version], dice: random.Random) -> Version:
    """Make one edit that shows in both languages."""
    out = list(version)
    at = dice.randrange(len(out))
    line = out[at]
    kind = dice.choice(["delete", "add", "add", "move", "number", "heading", "cut", "code", "swap"])
    if kind == "delete" and len(out) > 6:
        del out[at]
    elif kind in ("add", "swap"):
        other = dice.choice(dice.choice(others))
        out[at : at + (kind == "swap")] = [other]
    elif kind == "move":
        del out[at]
        out.insert(dice.randrange(len(out) + 1), line)
    elif kind == "number":
        out = _change_number(out, dice)
    elif kind in ("heading", "code"):
        tag = {"heading": "h2", "code": "pre"}[kind]
        places = [i for i, x in enumerate(out) if x.kind == tag]
        if places:
            new = [x for x in dice.choice(others) if x.kind == "h2"] or [line]
            at = dice.choice(places)
            out[at] = dice.choice(new) if tag == "h2" else _code(out, dice)
    elif kind == "cut":
        ar, en = _SENTENCE.split(line.ar), _SENTENCE.split(line.en)
        if len(ar) == len(en) > 1:
            size = dice.randrange(1, len(en))
            out[at] = Line(line.kind, " ".join(ar[:size]), " ".join(en[:size]))
    return out


def _change_number(version: Version, dice: random.Random) -> Version:
    """Change a number that both sides of a line have."""
    out = list(version)
    places = [
        i for i, x in enumerate(out) if set(_DIGITS.findall(x.ar)) & set(_DIGITS.findall(x.en))
    ]
    if places:
        at = dice.choice(places)
        kind, ar, en = out[at]
        shared = sorted(set(_DIGITS.findall(ar)) & set(_DIGITS.findall(en)))
        old = dice.choice(shared)
        new = re.sub(r"\d", lambda _: str(dice.randint(1, 9)), old)
        whole = re.compile(rf"(?<![\d.]){re.escape(old)}(?![\d])")
        out[at] = Line(kind, whole.sub(new, ar), whole.sub(new, en))
    return out


def age(document: Version, others: Sequence[Version], dice: random.Random) -> list[Version]:
    """Return 4 to 9 versions, newest first; no two are the same in either language."""
    versions = [document]
    seen = {_text(document, side) for side in ("ar", "en")}
    for _ in range(dice.randint(3, 8)):
        version = versions[-1]
        edits = dice.choice([1, 1, 2, 3, 6, len(version) // 3])
        for _ in range(200):
            changed = edit(version, others, dice)
            texts = {_text(changed, side) for side in ("ar", "en")}
            edits -= changed != version
            version = changed
            if edits <= 0 and not texts & seen:
                versions.append(version)
                seen |= texts
                break
    return versions


def _text(version: Version, side: str) -> str:
    return "\n".join(getattr(line, side) for line in version)


def translate(
    version: Version, versions: Sequence[Version], seen: bool, dice: random.Random
) -> list[tuple[str, str]]:
    """The Arabic lines of a version, as tags and texts: a few are missing, some are not translated.

    Only lines that all versions have can be missing or not translated; otherwise nothing could tell
    which version it is. One word in six is left out if the encoder has seen the text, so that it
    looks new.
    """
    common = set(version).intersection(*versions)
    lost, raw = dice.choice([0, 0.03, 0.1]), dice.choice([0, 0, 0.05, 0.15])
    out = []
    for line in version:
        everywhere = line in common
        if everywhere and dice.random() < lost:
            continue
        text = line.en if everywhere and dice.random() < raw else line.ar
        if seen and line.kind == "p":
            words = text.split()
            text = " ".join([w for w in words if dice.random() > 1 / 6] or words)
        out.append((line.kind, text))
    return out


def build_site(
    shared: Path, site: str, addresses: str, seed: int
) -> tuple[list[Page], dict[str, str]]:
    """Build the pages of a site, shuffled, and the name of the English page of each Arabic page.

    Args:
        shared: folder of evaluation data.
        site: a key of SITES.
        addresses: "none", or "misleading": the address of an Arabic page is that of another version
            for two pages of three.
        seed: seed of all choices.
    """
    dice = random.Random(f"{site} {seed}")
    documents = read_documents(shared, site, dice)
    pages: list[Page] = []
    partner: dict[str, str] = {}
    titles = {lang: [getattr(x[0], lang) for x in documents] for lang in ("ar", "en")}
    for number, document in enumerate(documents):
        others = documents[:number] + documents[number + 1 :]
        versions = age(document, others, dice)
        name = f"d{number:03d}"
        for v, version in enumerate(versions):
            lines = [(x.kind, x.en) for x in version]
            url = f"https://docs.example.org/en/v{v}/{name}"
            pages.append(_page(f"{name}v{v}", "en", url, lines, titles["en"][number : number + 12]))
        translated = dice.sample(
            range(len(versions)), min(len(versions), dice.choice([1, 1, 1, 1, 1, 1, 2, 2, 4]))
        )
        for v in translated:
            lines = translate(versions[v], versions, site in SEEN, dice)
            claimed = dice.choice([v, *dice.sample(range(len(versions)), 2)])
            url = f"https://docs.example.org/ar/v{claimed}/{name}"
            pages.append(_page(f"{name}v{v}", "ar", url, lines, titles["ar"][number : number + 12]))
            partner[f"{name}v{v}"] = f"{name}v{v}"
        # one Arabic page in twenty has no English version
        if dice.random() < 0.05:
            pages = [x for x in pages if x.lang == "ar" or x.name.partition("v")[0] != name]
            partner = {k: x for k, x in partner.items() if k.partition("v")[0] != name}
    dice.shuffle(pages)
    if addresses == "none":
        pages = [x._replace(url=None) for x in pages]
    return pages, partner


def _page(name: str, lang: str, url: str, lines: list[tuple[str, str]], titles: list[str]) -> Page:
    """Put lines between a menu of titles and a footer."""
    menu = "".join(f'<li><a href="#">{html.escape(x[:60])}</a></li>' for x in titles)
    body = "\n".join(f"<{tag}>{html.escape(text)}</{tag}>" for tag, text in lines[1:])
    footer = {"ar": "جميع الحقوق محفوظة", "en": "All rights reserved"}[lang]
    head = html.escape(lines[0][1][:200])
    text = (
        f'<!DOCTYPE html><html lang="{lang}"><head><meta charset="utf-8"><title>{head}</title>'
        f"</head><body><nav><ul>{menu}</ul></nav><main><article><h1>{head}</h1>\n{body}</article>"
        f"</main><footer><p>{footer}</p></footer></body></html>"
    )
    return Page(name, lang, url, text)


def write_site(pages: Sequence[Page], path: Path) -> None:
    """Write the pages as JSON lines; the id of a page is its name and language."""
    with path.open("w", encoding="utf-8") as file:
        for page in pages:
            row = {"id": f"{page.name}.{page.lang}", "url": page.url, "html": page.html}
            file.write(json.dumps({k: v for k, v in row.items() if v}, ensure_ascii=False) + "\n")
