"""The public surface: what `import ingest` promises."""

from __future__ import annotations

import builtins
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
import types

import pytest

import ingest
from ingest import config, errors

PUBLIC = [name for name in dir(ingest) if not name.startswith("_")]


def modules() -> list[str]:
    infos = pkgutil.walk_packages(ingest.__path__, "ingest.")
    return [m.name for m in infos if "__main__" not in m.name and "probe" not in m.name]


def test_public_names():
    verbs = {
        "align", "align_lines", "align_pages", "align_words", "annotate", "dedupe", "detect", "export",
        "export_texts", "filter", "funnel",
        "identify", "label", "make_dataset", "mask_pii", "pair_pages", "read", "read_pairs", "run", "samples",
        "score", "segment", "split", "translate", "Encoder",
    }  # fmt: skip
    classes = {
        name
        for module in (config, errors)
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__
    }
    assert set(PUBLIC) == verbs | classes


@pytest.mark.parametrize("name", PUBLIC)
def test_each_is_documented_and_no_module(name):
    value = getattr(ingest, name)
    assert not isinstance(value, types.ModuleType)
    assert value.__doc__


@pytest.mark.parametrize("name", [n for n in PUBLIC if inspect.isfunction(getattr(ingest, n))])
def test_a_doctest_shows_each_verb(name):
    lines = [line.strip() for line in getattr(ingest, name).__doc__.split("\n")]
    code = "\n".join(line for line in lines if line.startswith((">>> ", "... ")))
    assert re.search(rf"\b{name}\(", code)


def test_a_star_import_takes_all_but_what_would_hide_a_builtin():
    hiding = {name for name in PUBLIC if hasattr(builtins, name)}
    assert hiding == {"filter"}
    assert set(ingest.__all__) == (set(PUBLIC) | {"__version__"}) - hiding


def test_types_are_known_to_type_checkers():
    """Names load lazily; what a type checker sees must be the same."""
    source = inspect.getsource(ingest).partition("if TYPE_CHECKING:")[2].partition("__all__")[0]
    assert {name for name in PUBLIC if f"{name}" in source} == set(PUBLIC)


def test_no_function_hides_a_module():
    """`import ingest.detection.rules` must find the module, whatever was imported before it."""
    for name in modules():
        try:
            module = importlib.import_module(name)
        except errors.MissingExtraError:  # what Ray runs is no module without Ray
            assert name == "ingest.pipeline.ray"
            continue
        parent, _, leaf = name.rpartition(".")
        assert getattr(sys.modules[parent], leaf) is module, name


@pytest.mark.parametrize("name", PUBLIC)
def test_no_verb_shares_its_name_with_a_module(name):
    assert f"ingest.{name}" not in modules()


def test_an_unknown_name():
    with pytest.raises(AttributeError, match="no attribute 'sing'"):
        ingest.sing  # noqa: B018


def test_importing_does_no_work():
    code = "import sys, ingest; print(sorted({'polars', 'numpy', 'langdetect'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert done.stdout.strip() == b"[]"


def test_one_tree_of_exceptions():
    classes = [c for c in vars(errors).values() if isinstance(c, type)]
    assert all(issubclass(c, errors.IngestError) for c in classes)
    assert all(c.__name__ in errors.__doc__ for c in classes)
