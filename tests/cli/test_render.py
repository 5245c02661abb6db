"""The tables that commands print."""

from __future__ import annotations

from ingest.cli.render import print_run_summary
from ingest.roles import ROLES

COUNTS = {"pages": 1, "articles": 1, "clusters": 1, "errors": 0, "duplicates": 0, "empty": 0,
          "template_lines": 0, "replaced": 0, "skipped": 0, "by_role_and_lang": []}  # fmt: skip


def report(skipped=(), **counts):
    return {
        "counts": COUNTS | counts, "skipped": list(skipped), "left_out": {}, "columns": [], "elapsed": 1, "seconds": {},
    }  # fmt: skip


def test_numbers_are_not_cut_off_in_a_pipe(capsys):
    rows = [
        {"role": role, "lang": lang, "segments": 123_456_789, "kept": 98_765_432}
        for role in ROLES
        for lang in ("ar", "en", "zxx", "fr", "ur", "fa", "de", "es", "tr")
    ]
    print_run_summary(report(by_role_and_lang=rows), "out")
    table = capsys.readouterr().out
    assert table.count("123,456,789") == 6 * len(ROLES)
    assert "…" not in table


def test_totals_and_skipped_files_have_a_line_each(capsys):
    counts = {"pages": 1_000, "articles": 2_000, "clusters": 2_000, "duplicates": 30_000,
              "empty": 400, "template_lines": 50_000, "replaced": 6_000}  # fmt: skip
    files = {"a.docx": "ZIP archive", "b.jpg": "image", "c.css": "style sheet"}
    listed = [{"source": name, "reason": reason} for name, reason in files.items()]
    made = report(listed, **counts)
    made["counts"]["skipped"] = 9
    print_run_summary(made, "out")
    totals, skipped, written = capsys.readouterr().out.splitlines()[-3:]
    assert totals.startswith("1,000 pages, ")
    assert totals.endswith("6,000 characters that could not be decoded")
    assert skipped.startswith("9 files not read: a.docx (ZIP archive); b.jpg (image); ")
    assert skipped.endswith("out/run.json")
    assert written == "written to out"
