"""Translations are the same in one process, in several, and on Ray."""

from __future__ import annotations

import zipfile
from contextlib import nullcontext
from functools import cache
from importlib.util import find_spec

import polars as pl
import pytest

import ingest
from ingest.cli import main
from ingest.config import Config
from ingest.errors import ModelError
from ingest.jobs import translate_tasks
from ingest.jobs.translate_run import TranslateOptions, translate_segments
from ingest.pipeline import executors
from ingest.pipeline.executors import Executor
from ingest.pipeline.workers import run_in_process
from ingest.translation.packages.package import load

TEXT = """Our team won the match at 10:45. Prices rose by three percent.

Write to help@example.com for the answer, or see https://example.org/a?b=1 before May 2023.

Doctors ask people to drink {more} water. She reads the newspaper every morning.

Prices rose by three percent. Heavy rain closed 2 roads and 1,250 bridges near the river.
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory, tiny):
    """Packages from English to Arabic, and from Arabic to French."""
    folder = tmp_path_factory.mktemp("argos")
    for source, target, seed in (("en", "ar", 0), ("ar", "fr", 1)):
        made = tiny.make(tmp_path_factory.mktemp("made"), source=source, target=target, seed=seed)
        with zipfile.ZipFile(made) as archive:
            archive.extractall(folder)
    return folder


@pytest.fixture(autouse=True)
def small_tasks(unpacked, monkeypatch):
    monkeypatch.setenv("ARGOS_PACKAGES_DIR", str(unpacked))
    monkeypatch.setattr(translate_tasks, "TASK_CHARS", 60)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    pages = ingest.samples() / "ar_chrome_en_news_2.txt"
    (folder / "a.txt").write_text(TEXT, "utf-8")
    ingest.run([pages, folder / "a.txt"], folder / "out")
    return folder / "out"


@pytest.fixture
def workers(monkeypatch):
    """Two workers that are this process; processes take seconds to start."""
    monkeypatch.setattr(executors, "worker_pool", lambda _count: nullcontext(run_in_process))
    return Executor(2)


def translate(run, folder, executor, to, **options):
    folder.mkdir(exist_ok=True)
    given = TranslateOptions(
        to=to, source="en", cache=folder / "cache", executor=executor, overwrite=True, **options
    )
    result = translate_segments(run / "segments.parquet", folder / "out.parquet", given)
    assert [path.name for path in folder.glob(".*")] == []
    return result, (folder / "out.parquet").read_bytes()


@pytest.fixture(scope="module")
def alone(run, tmp_path_factory, unpacked):
    """What one process makes of the run, by the language it translates to."""

    @cache
    def translate_alone(to):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ARGOS_PACKAGES_DIR", str(unpacked))
            return translate(run, tmp_path_factory.mktemp("one"), Executor(), to)

    return translate_alone


@pytest.mark.parametrize("to", ["ar", "fr"])
def test_workers_give_the_same_bytes(run, alone, tmp_path, workers, to):
    seen = []
    expected, content = alone(to)
    result, same = translate(
        run, tmp_path / "two", workers, to, progress=lambda *at: seen.append(at)
    )
    assert same == content
    assert (result.texts, result.flags) == (expected.texts, expected.flags)
    # a piece that only a second attempt at another text asks for is counted where it is translated
    assert result.tokens == expected.tokens > 1000
    assert seen[-1] == (result.texts, result.texts, result.tokens)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(executors, "worker_pool", None)  # all is cached
        again, same = translate(run, tmp_path / "two", workers, to)
    assert (again.tokens, same) == (0, content)


def test_each_text_is_translated_once(run, alone, tmp_path, workers, monkeypatch):
    from ingest.jobs import translate_run

    expected, content = alone("ar")
    monkeypatch.setattr(translate_run, "_BATCH_SEGMENTS", 3)
    given = []
    of_task = translate_tasks.prepare_models
    monkeypatch.setattr(
        translate_tasks, "prepare_models",
        lambda **options: lambda rows: given.extend(rows["key"]) or of_task(**options)(rows),
    )  # fmt: skip
    translate_tasks.prepare_models.__module__ = translate_tasks.__name__
    translate_tasks.prepare_models.__qualname__ = "prepare_models"
    result, same = translate(run, tmp_path / "two", workers, "ar")
    assert (same, result.tokens) == (content, expected.tokens)
    assert len(given) == len(set(given)) > 50


def test_few_texts_are_one_task(run, tmp_path, workers, monkeypatch):
    monkeypatch.setattr(translate_tasks, "TASK_CHARS", 1 << 20)
    monkeypatch.setattr(executors, "worker_pool", None)
    messages = translate(run, tmp_path, workers, "ar")[0].messages
    assert [x for x in messages if "are one task, so more than one worker" in x] == messages[-1:]
    assert "one task" not in str(translate(run, tmp_path, workers, "ar")[0].messages)  # all cached


def test_finished_translations_are_kept_after_ctrl_c(run, alone, tmp_path, workers):
    def interrupt(done, total, _tokens):
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as stopped:
        translate(run, tmp_path / "two", workers, "ar", progress=interrupt)
    assert "run the same command to resume" in stopped.value.__notes__[0]
    assert not list((tmp_path / "two").glob(".*"))
    expected, content = alone("ar")
    rest, same = translate(run, tmp_path / "two", workers, "ar")
    assert same == content
    assert 0 < rest.tokens < 0.6 * expected.tokens


def test_a_package_that_another_machine_has_elsewhere(tmp_path, unpacked):
    package = load(unpacked / "translate-en_ar-1_0", "argostranslate")
    place = ["argostranslate", "en", "ar"]
    found = translate_tasks.find_package(
        package.sha256, str(tmp_path / "translate-en_ar-1_0"), *place
    )
    assert found.path == package.path
    with pytest.raises(
        ModelError, match="translate-en_ar-1_0 of the main process is not installed"
    ):
        translate_tasks.find_package("other", str(package.path), *place)


def test_pages_and_runs_take_workers(run, tmp_path, workers, monkeypatch):
    monkeypatch.setenv("INGEST_CACHE_DIR", str(tmp_path / "cache"))
    page, out = run.parent / "a.txt", tmp_path / "p.parquet"
    call = ["translate", str(page), "-o", str(out), "--to", "ar", "--overwrite"]
    assert main([*call, "--workers", "2", "-q"]) == 0
    first = out.read_bytes()
    monkeypatch.setenv("INGEST_CACHE_DIR", str(tmp_path / "other"))
    assert main([*call, "-q"]) == 0
    assert out.read_bytes() == first
    ingest.run(page, tmp_path / "out", translate=("en", "ar"), workers=2, config=Config())
    assert pl.read_parquet(tmp_path / "out" / "translated.parquet").height == 4


@pytest.mark.ray
def test_ray(run, alone, tmp_path):
    if find_spec("ray") is None:
        pytest.skip("Ray is not installed: uv run --group ray pytest")
    from ray.cluster_utils import Cluster

    expected, content = alone("fr")
    cluster = Cluster()
    try:
        cluster.add_node(num_cpus=1, include_dashboard=False, object_store_memory=100 << 20)
        result, same = translate(run, tmp_path / "two", Executor(ray=cluster.address), "fr")
    finally:
        cluster.shutdown()
    assert (same, result.tokens) == (content, expected.tokens)
