"""The steps and inputs that linear.py measures."""

from __future__ import annotations

import contextlib
import functools
import gzip
import html
import importlib
import json
import os
import random
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

_LINE = "The minister said on Monday that talks would resume. قال الوزير إن المحادثات ستستأنف"

# What is repeated; "{}" becomes a number.
UNITS = {
    "letters": "a",
    "words": "word ",
    "numbered": "word{} ",
    "sentences": _LINE + "\n",
    "numbered lines": "{} " + _LINE + "\n",
    "long line": _LINE + " ",
    "scripts": "word كلمة ",
    "runs of scripts": "one two three four five كلمة في سطر من سبعة أخرى. ",
    "marks": "e\u0301\u0302\u0303",
    "arabic marks": "ب\u064e\u0651\u0640",
    "only marks": "\u0301",
    "digits": "1",
    "grouped digits": "12 ",
    "dashed digits": "1-",
    "plus": "+",
    "hex": "a1:",
    "ip": "1.",
    "iban": "GB29 ",
    "cards": "4111 1111 1111 1112 ",
    "a dot": "a.",
    "A dot": "A. ",
    "dots": ".",
    "ellipses": "… ",
    "brackets": "(",
    "closing": ")",
    "quotes": '"',
    "question marks": "؟",
    "quoted lines": '"a"b,"c\n',
    "tabs": "\t",
    "commas": ",",
    "at": "@",
    "at a": "a@",
    "mail": "a@b.c",
    "mail-like": "a-b.c+d%",
    "urls": "https://a.example/b?c=d&e=f ",
    "url": "http://",
    "slashes": "/",
    "pipes": "|",
    "emoji": "\U0001f600",
    "family": "\U0001f468\u200d",
    "joiners": "\u200d",
    "right to left": "\u202e",
    "spaces": " ",
    "wide spaces": "\u3000",
    "line ends": "\n",
    "breaks": "\u2028",
    "breaks a": "a\x0b",
    "less": "<",
    "ampersands": "&",
    "tags": "<b>",
    "comments": "<!--",
    "braces": '{"a":',
    "lists": "[",
    "backslashes": "\\",
    "mojibake": "Ø§Ù„",
    "latin mojibake": "aÃ©",
    "chinese": "漢",
    "presentation forms": "ﷺ",
    "replacement": "\ufffd",
    "nul": "\0",
    "headings": "Related news\n\nShort line\n",
    "repeated headings": "Section\n",
    "dates": "12 March 2024 10:30\n",
    "by": "By Jane Doe\n",
    "pairs of lines": "a\nb\n",
    "letter lines": "{}\n",
    "bullets": "• item {}\n",
    "code": "if (a[{}] == b) { return c; }\n",
    "shuffled words": "",  # the same twelve words in each line, in any order
}


def make_input(name: str, size: int) -> str:
    """About `size` bytes of a unit."""
    unit = UNITS[name]
    if name == "shuffled words":
        draw, words = random.Random(1), [f"w{n}" for n in range(10, 22)]
        return "".join(" ".join(draw.sample(words, 12)) + "\n" for _ in range(size // 48))
    count = max(size // len(unit.encode()), 1)
    if "{}" not in unit:
        return unit * count
    return "".join(unit.replace("{}", str(n), 1) for n in range(count))[:size]


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(dir=os.environ.get("LINEAR_TMP")))


def _write(name: str, data: str | bytes) -> str:
    path = _folder() / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass"))
    return str(path)


def _read_page(name: str, data: str | bytes) -> None:
    import ingest

    ingest.read(_write(name, data))


def _documents(text: str):
    import ingest

    return ingest.read(_write("page.txt", text))


def _segments(text: str):
    import ingest

    documents = _documents(text)
    return documents, ingest.segment(documents)


@cache
def _labelled(text: str):
    import ingest

    documents, segments = _segments(text)
    return documents, ingest.label(ingest.detect(segments))


def _pairs(text: str):
    """A frame of pairs: the lines of the text against Arabic lines."""
    import polars as pl

    from ingest.frames import PAIRS, schema

    lines = pl.Series([x for x in text.split("\n") if x] or [text or "a"])
    frame = pl.DataFrame(schema=schema(PAIRS)).clear(len(lines))
    return frame.with_columns(
        pair_id=pl.int_range(len(lines)).cast(pl.String), source_text=lines,
        target_text=pl.Series([x.lower().translate(_ARABIC) for x in lines]), source_lang=pl.lit("en"), target_lang=pl.lit("ar"),
        method=pl.lit("aligned"), score=pl.lit(0.9, pl.Float64),
    ).select(schema(PAIRS).names()).cast(dict(schema(PAIRS)))  # fmt: skip


@cache
def _deduped(text: str):
    import ingest

    documents, segments = _labelled(text)
    return ingest.dedupe(segments, documents), documents


def _filtered(text: str):
    import ingest

    return ingest.filter(_pairs(text))


def _exclude(text: str) -> Callable[[], object]:
    """Compare every second line, as pairs, with the others."""
    import polars as pl

    from ingest.filtering.excluded import ExcludedTexts

    lines = text.split("\n")
    pairs, known = _pairs("\n".join(lines[::2])), pl.Series("text", lines[1::2], pl.String)
    known = pl.DataFrame(
        {"file": pl.repeat(0, len(known), eager=True).cast(pl.Int64), "text": known}
    )
    return lambda: ExcludedTexts(["a"], known).match(pairs)


def _export(form: str, pairs) -> None:
    import ingest

    ingest.export(pairs, _folder() / f"export.{form}", format=form, overwrite=True)


def _align(frames: tuple) -> None:
    import ingest
    from ingest.errors import AlignError

    with contextlib.suppress(AlignError):
        ingest.align(*frames, config=ingest.AlignConfig(langs=("en", "ar")))


def _translate(path: str) -> None:
    """Read lines and find out their language; no package is needed."""
    from ingest.errors import IngestError
    from ingest.jobs import translate_lines

    with contextlib.suppress(IngestError):
        for lines in translate_lines._read_batches(path):
            translate_lines._detect_language(lines, path, "xx")


def _run(text: str) -> Path:
    import ingest

    out = _folder() / "out"
    ingest.run(_write("page.txt", text), out, overwrite=True)
    return out


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _json_row(text: str) -> str:
    return f'{{"text": {_json(text)}}}'


_HTTP = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"


def _warc(content: bytes) -> bytes:
    block = _HTTP + content
    head = (
        "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://a.example/\r\n"
        f"Content-Type: application/http; msgtype=response\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return head.encode() + block + b"\r\n\r\n"


def _detected(text: str):
    import ingest

    return ingest.detect(_segments(text)[1])


def _after(prepare: Callable[[str], object], run: Callable[[object], object]):
    """A step on what `prepare` makes of the text, which is not timed."""

    def start(text: str) -> Callable[[], object]:
        value = prepare(text)
        return lambda: run(value)

    return start


def _on_text(run: Callable[[str], object]):
    return _after(lambda text: text, run)


def _on_file(name: str, encode: Callable[[str], str | bytes] = lambda text: text):
    """Read the text as a file of this name."""

    def read(path: str) -> None:
        import ingest

        ingest.read(path)

    return _after(lambda text: _write(name, encode(text)), read)


def _on_import(name: str, encode: Callable[[str], str | bytes] = lambda text: text, other=None):
    def prepare(text: str) -> list[str]:
        files = [_write(name, encode(text))]
        return files + ([_write("pairs.ar", other(text))] if other else [])

    def run(files: list[str]) -> None:
        from ingest.errors import IngestError
        from ingest.jobs.import_pairs import import_files

        with contextlib.suppress(IngestError):
            import_files(files, _folder() / "pairs.parquet", langs=["en", "ar"], overwrite=True)

    return _after(prepare, run)


def _call(module: str, name: str, *args: object) -> Callable[[object], object]:
    """A function of a module that is imported when it is called."""

    def run(value: object) -> object:
        values = value if isinstance(value, tuple) else (value,)
        return getattr(importlib.import_module(module), name)(*values, *args)

    return run


def _as_expression(name: str) -> Callable[[str], object]:
    def run(text: str) -> object:
        import polars as pl

        from ingest import text as forms

        return pl.select(getattr(forms, name)(pl.lit(text))).item()

    return run


def _show(frames: tuple) -> None:
    from ingest.cli.render import print_pages

    with Path(os.devnull).open("w") as null, contextlib.redirect_stdout(null):
        print_pages(*frames)


_ARABIC = str.maketrans(
    dict(zip("abcdefghijklmnopqrstuvwxyz", "ابثدهفغحيجكلمنوقرسطعتشصضذز", strict=True))
)


def _lines_of(text: str) -> tuple[list[str], list[str]]:
    return text.split("\n"), text.lower().translate(_ARABIC).split("\n")


def _align_lines(sides: tuple) -> None:
    import ingest
    from ingest.errors import AlignError

    with contextlib.suppress(AlignError):
        ingest.align_lines(*sides, config=ingest.AlignConfig(langs=("en", "ar")))


def _rows(text: str, row: Callable[[int, str], str]) -> str:
    """A table of the lines of a text."""
    return "".join(row(n, line) + "\n" for n, line in enumerate(text.split("\n")))


def _tmx(body: str) -> str:
    return f'<tmx version="1.4"><header srclang="en"/><body>{body}</body></tmx>'


def _unit(source: str, target: str) -> str:
    return (f'<tu><tuv xml:lang="en"><seg>{source}</seg></tuv>'
            f'<tuv xml:lang="ar"><seg>{target}</seg></tuv></tu>')  # fmt: skip


def _parquet(text: str) -> bytes:
    import io

    import polars as pl

    file = io.BytesIO()
    pl.DataFrame({"text": text.split("\n")}).write_parquet(file)
    return file.getvalue()


def _pairs_json(text: str) -> str:
    return _rows(text, lambda _, x: f'{{"en": {_json(x)}, "ar": {_json(x)}}}')


def _plain(text: str) -> str:
    return html.escape(text.replace("\0", ""))


STEPS: dict[str, Callable[[str], Callable[[], object]]] = {
    # text
    "sentences": _on_text(_call("ingest.sentences", "split_sentences")),
    "comparable": _on_text(_as_expression("comparable")),
    "printable": _on_text(_as_expression("printable")),
    "mojibake": _on_text(_call("ingest.readers.mojibake", "repair_mojibake")),
    "find_pii": _on_text(_call("ingest.pii.find", "find_pii")),
    "decode": _on_text(lambda text: _call("ingest.readers.encoding", "decode")(
        text.encode("utf-8")[:-1] + b"\xff")),
    "decode cp1256": _on_text(lambda text: _call("ingest.readers.encoding", "decode")(
        text.encode("cp1256", "replace") + b"\xc7\xe1")),
    # readers
    "read text": _on_file("page.txt"),
    "read gzip": _on_file("page.txt.gz", lambda text: gzip.compress(text.encode(), 1)),
    "read jsonl": _on_file("pages.jsonl", lambda text: _json_row(text) + "\n"),
    "read jsonl lines": _on_file("rows.jsonl", lambda text: _rows(text, lambda _, x: _json_row(x))),
    "read jsonl raw": _on_file("raw.jsonl"),
    "read csv": _on_file("pages.csv", lambda text: "text,url\n" + text),
    "read csv quoted": _on_file(
        "quoted.csv", lambda text: 'text,url\n"' + text.replace('"', '""') + '",x\n'),
    "read tsv": _on_file("pages.tsv", lambda text: "text\turl\n" + text),
    "read parquet": _on_file("pages.parquet", _parquet),
    "read warc": _on_file("pages.warc", lambda text: _warc(text.encode())),
    "read warc lines": _on_file(
        "records.warc", lambda text: b"".join(_warc(x.encode()) for x in text.split("\n")[:3000])),
    "read warc raw": _on_file("raw.warc", lambda text: "WARC/1.0\r\n" + text),
    # the steps of a run
    "segment": _after(_documents, _call("ingest", "segment")),
    "detect": _after(lambda text: _segments(text)[1], _call("ingest", "detect")),
    "label": _after(_detected, _call("ingest", "label")),
    "dedupe": _after(lambda text: _labelled(text)[::-1], _call("ingest", "dedupe")),
    "articles": _after(_deduped, _call("ingest.pipeline.shard", "collect_articles")),
    "show": _after(lambda text: _deduped(text)[::-1], _show),
    "run": _on_text(_run),
    "report": _after(_run, _call("ingest.jobs.report", "write_report")),
    # pairs
    "align lines": _after(_lines_of, _align_lines),
    "align": _after(lambda text: (_deduped(text)[0],) * 2, _align),
    "score": _after(_pairs, _call("ingest", "score")),
    "filter": _after(_pairs, _call("ingest", "filter")),
    "exclude": _exclude,
    "split": _after(_filtered, _call("ingest", "split")),
    "mask": _after(_pairs, _call("ingest", "mask_pii")),
    **{f"export {form}": _after(_pairs, functools.partial(_export, form))
       for form in ("moses", "tsv", "tmx", "jsonl", "parquet", "huggingface")},
    "import tsv": _on_import("pairs.tsv"),
    "import csv": _on_import("pairs.csv", lambda text: "en,ar\n" + text),
    "import tsv lines": _on_import("lines.tsv", lambda text: _rows(text, lambda _, x: f"{x}\tb")),
    "import jsonl": _on_import("pairs.jsonl", _pairs_json),
    "import moses": _on_import("pairs.en", other=lambda text: text),
    "import tmx": _on_import("pairs.tmx", lambda text: _tmx(
        "".join(_unit(_plain(x), "a") for x in text.split("\n")))),
    "import tmx codes": _on_import("codes.tmx", lambda text: _tmx(_unit("a<ph/>" * (len(text) // 6), "b"))),
    "import tmx raw": _on_import("raw.tmx", lambda text: _tmx("<tu>" + text)),
    "import keys": _on_import("keys.jsonl", lambda text: "".join(
        f'{{"en": "a", "ar": "b", "k{n}": 1}}\n' for n in range(len(text) // 32))),
    "translate lines": _after(lambda text: _write("lines.txt", text), _translate),
}  # fmt: skip
