"""Compare the repair of wrongly decoded text with ftfy.

Sentences in Arabic, French and English are broken in each way that text on the web is broken, and
repaired. The table counts how many come back exactly. Then sound lines in many languages are
repaired: none may change.

    uv run --with ftfy python tests/benchmarks/encodings.py
"""

from __future__ import annotations

import contextlib
import html
import sys
import time
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

from ingest.errors import SourceError
from ingest.readers.encoding import decode
from ingest.readers.repairs import repair_text
from ingest.readers.visual_order import repair_visual_order

SHARED = Path(__file__).resolve().parents[3] / "shared"
SIZE = 300  # texts of each kind
Break = Callable[[str], str | None]
UTF8_READ_AS = (
    "cp1252", "latin-1", "cp1256", "cp1251", "cp1250", "cp1253", "cp1254", "cp1257", "iso8859-2",
    "mac_roman", "cp437", "cp850",
)  # fmt: skip
ARABIC_BYTES = ("cp1256", "iso8859-6", "mac_arabic", "cp720", "cp864")


def misread(text: str, right: str, wrong: str, lost: str | None = None) -> str | None:
    """Text in the encoding `right`, read as `wrong`. `lost` replaces undefined bytes."""
    try:
        data = encode(text, right)
    except UnicodeEncodeError:
        return None
    chars = [bytes([b]).decode(wrong, "ignore") for b in range(256)]
    return "".join(chars[b] or (chr(b) if lost is None else lost) for b in data)


def encode(text: str, codec: str) -> bytes:
    """Encode as programs of the time did: ASCII as ASCII, letters in cp864 by their place."""
    if codec == "mac_arabic":  # whose Arabic half has spaces and signs of its own
        return b"".join(c.encode() if c.isascii() else c.encode(codec) for c in text)
    if codec != "cp864":
        return text.encode(codec)
    shaped = b""
    for i, char in enumerate(text):
        before, after = text[i - 1 : i] if i else "", text[i + 1 : i + 2]
        joins = bool(before) and before in _JOINS, bool(after) and after in _LETTERS
        wanted = {(0, 0): "ISOLATED", (0, 1): "INITIAL", (1, 0): "FINAL", (1, 1): "MEDIAL"}[joins]
        forms = _CP864.get(char, {})
        close = {"MEDIAL": "INITIAL", "FINAL": "ISOLATED", "INITIAL": "MEDIAL", "ISOLATED": "FINAL"}
        form = forms.get(wanted) or forms.get(close[wanted]) or next(iter(forms.values()), None)
        shaped += form or (char if char != "%" else "٪").encode(codec)
    return shaped


_LETTERS = "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي"
_JOINS = "ئبتثجحخسشصضطظعغفقكلمنهي"
_CP864: dict[str, dict[str, bytes]] = {}
for _byte in range(0x80, 0x100):
    _char = bytes([_byte]).decode("cp864", "ignore")
    if (
        _char
        and len(_plain := unicodedata.normalize("NFKC", _char)) == 1
        and _plain not in (_char, " ")
    ):
        _form = unicodedata.name(_char).split()[-2]
        _CP864.setdefault(_plain, {})[_form] = bytes([_byte])


def as_references(text: str | None) -> str | None:
    return text and "".join(c if c.isascii() else f"&#{ord(c)};" for c in text)


def as_names(text: str | None) -> str | None:
    names = html.entities.codepoint2name
    return text and "".join(
        c if c.isascii() else f"&{names[ord(c)]};" if ord(c) in names else c for c in text
    )


def breaks() -> Iterator[tuple[str, Break]]:
    for codec in UTF8_READ_AS:
        yield f"utf-8 as {codec}", lambda text, codec=codec: misread(text, "utf-8", codec)
    twice = (
        ("latin-1", "latin-1"),
        ("cp1252", "cp1252"),
        ("cp1252", "latin-1"),
        ("cp1256", "cp1252"),
    )
    for first, second in twice:
        yield (
            f"utf-8 as {first}, again as {second}",
            lambda text, a=first, b=second: misread(misread(text, "utf-8", a) or "", "utf-8", b),
        )
    for lost, name in (("\ufffd", "U+FFFD"), ("?", "?"), ("", "nothing")):
        yield (
            f"utf-8 as cp1252, undefined bytes to {name}",
            lambda text, lost=lost: misread(text, "utf-8", "cp1252", lost),
        )
    yield (
        "utf-8 as cp1252, no soft hyphens",
        lambda text: (misread(text, "utf-8", "cp1252") or "").replace("\u00ad", ""),
    )
    yield (
        "utf-8 as cp1252, no-break spaces to spaces",
        lambda text: (misread(text, "utf-8", "cp1252") or "").replace("\u00a0", " "),
    )
    yield "utf-8 as latin-1, as &#…;", lambda text: as_references(misread(text, "utf-8", "latin-1"))
    yield "utf-8 as cp1252, as &name;", lambda text: as_names(misread(text, "utf-8", "cp1252"))
    for right in ("cp1256", "iso8859-6", "mac_arabic"):
        for wrong in ("cp1252", "latin-1", "cp1251"):
            yield (
                f"{right} as {wrong}",
                lambda text, right=right, wrong=wrong: misread(text, right, wrong),
            )
    yield (
        "cp1256 as latin-1, as &#…;",
        lambda text: as_references(misread(text, "cp1256", "latin-1")),
    )
    yield "cp1256 as cp1252, as &name;", lambda text: as_names(misread(text, "cp1256", "cp1252"))


def texts() -> dict[str, list[str]]:
    """Sentences and headlines at run time; only such as have characters that can break."""
    arabic, french, english = (_column(lang) for lang in ("ar", "fr", "en"))
    kinds = {
        "ar": arabic,
        "ar, 3 words": [" ".join(text.split()[:3]) for text in arabic],
        "fr": french,
        "fr, 3 words": [" ".join(text.split()[:3]) for text in french],
        "en": english,
    }
    return {
        kind: [text for text in lines if not text.isascii()][:SIZE] for kind, lines in kinds.items()
    }


def _column(lang: str) -> list[str]:
    lines = (SHARED / "lid_text" / f"{lang}.txt").read_text(encoding="utf-8").split("\n")
    return [line.strip() for line in lines[3::7] if len(line.split()) > 3]


def our_text(text: str) -> str:
    """The text as it is after rendering, which resolves the references that repairs leave."""
    return html.unescape(repair_text(text)[0])


def their_text() -> Callable[[str], str]:
    import ftfy

    config = ftfy.TextFixerConfig(
        uncurl_quotes=False, fix_latin_ligatures=False, fix_character_width=False,
        normalization=None, fix_line_breaks=False, remove_control_chars=False,
    )  # fmt: skip
    return lambda text: ftfy.fix_text(text, config)


def compare_texts() -> None:
    theirs = their_text()
    print(f"{'way':48}{'text':14}{'texts':>6}{'ingest':>8}{'third':>7}{'ftfy':>6}{'third':>7}")
    kinds = texts()
    good = {"ar": kinds["fr"], "ar, 3 words": kinds["fr"], "fr": kinds["ar"], "en": kinds["ar"]}
    for name, damage in breaks():
        for kind, sound in kinds.items():
            pairs = [(text, damage(text)) for text in sound]
            _row(name, kind, [(t, b) for t, b in pairs if b and b != t], theirs)
    for name, damage in breaks():
        if name not in (
            "utf-8 as cp1252",
            "utf-8 as cp1256",
            "cp1256 as cp1252",
            "cp1256 as cp1251",
        ):
            continue
        for kind, around in good.items():
            pairs = [
                (f"{a}\n{text}\n{a}", f"{a}\n{damage(text)}\n{a}")
                for text, a in zip(kinds[kind], around, strict=False)
                if damage(text)
            ]
            _row(f"{name}, one line among sound ones", kind, pairs, theirs)


def _row(way: str, kind: str, pairs: list[tuple[str, str]], theirs: Callable[[str], str]) -> None:
    if not pairs:
        return
    counts = []
    for repair in (our_text, theirs):
        repaired = [(text, broken, repair(broken)) for text, broken in pairs]
        exact = sum(text == result for text, _, result in repaired)
        third = sum(result not in (text, broken) for text, broken, result in repaired)
        counts += [exact, third]
    mark = " <" if counts[0] < counts[2] else ""
    print(
        f"{way:48}{kind:14}{len(pairs):6}{counts[0]:8}{counts[1]:7}{counts[2]:6}{counts[3]:7}{mark}"
    )


def compare_bytes() -> None:
    import ftfy

    print(f"\n{'bytes, not declared':30}{'text':14}{'texts':>6}{'ingest':>8}{'ftfy':>6}")
    for codec in ARABIC_BYTES:
        for kind, sound in texts().items():
            if not kind.startswith("ar"):
                continue
            ours = theirs = tried = 0
            for text in sound:
                try:
                    data = encode(text, codec)
                except UnicodeEncodeError:
                    continue
                tried += 1
                with contextlib.suppress(SourceError):
                    ours += our_text(decode(data).text) == text
                theirs += ftfy.guess_bytes(data)[0] == text
            print(f"{codec:30}{kind:14}{tried:6}{ours:8}{theirs:6}")


def count_changes() -> None:
    lines = changed = 0
    began = time.process_time()
    for path in sorted(
        [*(SHARED / "lid_text").glob("*.txt"), *(SHARED / "parallel").glob("*.tsv")]
    ):
        text = path.read_text(encoding="utf-8")
        changed += repair_text(text) != (text, None)
        for line in text.split("\n"):
            lines += 1
            changed += repair_text(line) != (line, None) or repair_visual_order(line) != (line, [])
    print(f"\n{lines:,} sound lines: {changed} changed, {time.process_time() - began:.0f} s")


def main() -> None:
    if not SHARED.is_dir():
        sys.exit("no ../shared: the texts are not part of the project")
    compare_texts()
    compare_bytes()
    count_changes()


if __name__ == "__main__":
    main()
