"""The public surface: what `import ingest` promises."""

from __future__ import annotations

import subprocess
import sys
import types

import pytest

import ingest


def test_public_names():
    assert sorted(ingest.__all__) == [
        "Config", "Encoder", "IngestError", "align", "dedupe", "detect", "export", "filter",
        "funnel", "identify", "label", "mask_pii", "pair_pages", "read", "run", "samples", "score",
        "segment", "split", "take_pairs", "translate",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ingest.__all__)
def test_each_is_documented_and_no_module(name):
    value = getattr(ingest, name)
    assert not isinstance(value, types.ModuleType)
    assert value.__doc__


@pytest.mark.parametrize("first", ["ingest.pipeline", "ingest.segment", "ingest.label.features"])
def test_a_verb_is_a_function_whatever_was_imported_before(first):
    code = (
        f"import {first}, ingest; assert all(callable(getattr(ingest, n)) for n in ingest.__all__)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unknown_name():
    with pytest.raises(AttributeError, match="no attribute 'sing'"):
        ingest.sing  # noqa: B018


def test_dir_lists_the_public_names():
    assert dir(ingest) == sorted([*ingest.__all__, "__version__"])


def test_importing_does_no_work():
    code = "import sys, ingest; print(sorted({'polars', 'numpy', 'langdetect'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert done.stdout.strip() == b"[]"


def test_one_tree_of_exceptions():
    from ingest import errors

    classes = [c for c in vars(errors).values() if isinstance(c, type)]
    assert all(issubclass(c, errors.IngestError) for c in classes)
    assert all(c.__name__ in errors.__doc__ for c in classes)
