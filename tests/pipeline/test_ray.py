"""A run on Ray gives the same bytes as a local one, also when a node dies, and can be resumed.

Only tests with the mark `ray` need Ray: uv run --group ray pytest -n0 -m ray
tests/benchmarks/ray_faults.py kills more, for longer.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import subprocess
import sys

import pytest

import ingest
from ingest.cli.options import open_executor
from ingest.config import Config, RunConfig
from ingest.errors import ConfigError, MissingExtraError, WriteError
from ingest.pipeline import executors, join, ray_node
from ingest.pipeline.executors import Executor
from ingest.pipeline.plan import versions
from ingest.pipeline.state import State
from ingest.pipeline.tasks import Losses, Task
from ingest.resources import models_digest

SMALL = Config(run=RunConfig(shard_bytes=12_000))
NAMES = ("documents.parquet", "segments.parquet", "articles.jsonl")


@pytest.fixture
def pages(tmp_path):
    folder = tmp_path / "pages"
    folder.mkdir()
    for path in sorted(ingest.samples().glob("*.txt"))[::12]:
        shutil.copy(path, folder)
    return folder


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def content(out):
    return [(out / name).read_bytes() for name in NAMES]


@pytest.fixture
def expected(pages, tmp_path):
    ingest.run(pages, tmp_path / "local", config=SMALL)
    return content(tmp_path / "local")


@pytest.mark.ray
def test_a_refused_node(pages, out, cluster, monkeypatch):
    monkeypatch.setattr("ingest.pipeline.ray.versions", lambda: "ingest 9")
    with pytest.raises(ConfigError) as refused:
        ingest.run(pages, out, config=SMALL, ray=cluster.address)
    assert f"has {versions()}, but the run needs ingest 9; install that there" in str(refused.value)
    assert str(refused.value).startswith("node ")
    assert not out.with_name("out.unfinished").exists()


@pytest.mark.ray
def test_a_source_that_disappears(pages, out, cluster):
    last = max(pages.iterdir())
    report = ingest.run(pages, out, config=SMALL, ray=cluster.address, ray_workers=1,
                        progress=lambda *_: last.unlink(missing_ok=True))  # fmt: skip
    assert report["changed"] == [{"source": str(last), "error": "no longer exists"}]


@pytest.mark.ray
def test_an_interrupted_run_is_resumed_without_ray(pages, out, expected, cluster):
    def interrupt(done, total):
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as stopped:
        ingest.run(pages, out, config=SMALL, ray=cluster.address, progress=interrupt)
    assert "use --resume to continue" in stopped.value.__notes__[0]
    assert not list(out.with_name("out.unfinished").glob("locks/running-*"))
    ingest.run(pages, out, config=SMALL, resume=True)
    assert content(out) == expected


@pytest.mark.ray
@pytest.mark.parametrize(
    ("error", "message"),
    [
        ("LocalRayletDiedError", "the Ray node that this process is connected to was lost: its"),
        (
            "WorkerCrashedError",
            "Ray could not run a task: The worker died unexpectedly while executing this task at"
            " in/a, also when the task was repeated",
        ),
    ],
)
def test_what_is_said_of_a_lost_task(monkeypatch, error, message):
    ray = pytest.importorskip("ray", reason="Ray is not installed")
    from ingest.pipeline.ray import _repeat_lost

    def lose(_reference):
        raise getattr(ray.exceptions, error)

    monkeypatch.setattr("ray.get", lose)
    task = Task("label", "out", 0, [("in/a", "file")], {}, {}, {}, careful=True)
    losses = Losses()

    def lose_thrice():
        for _ in range(3):
            _repeat_lost(None, task, losses)

    with pytest.raises(WriteError, match=message):
        lose_thrice()


@pytest.mark.ray
def test_a_cluster_that_wants_a_token(pages, out, monkeypatch, capfd):
    """It is asked once, and what Ray prints about that is dropped."""
    ray = pytest.importorskip("ray", reason="Ray is not installed")
    asked = []

    def refuse(address):
        asked.append(address)
        os.write(2, b"gcs_client.cc: Unauthenticated\n")
        raise ray.exceptions.AuthenticationError("InvalidAuthToken")

    monkeypatch.setattr("ray._raylet.GcsClient", refuse)
    monkeypatch.setattr("ingest.pipeline.ray._check_port", lambda _address: None)
    with pytest.raises(ConfigError, match=r"10\.0\.0\.1:1 wants a token, and has got none or an"):
        ingest.run(pages, out, ray="10.0.0.1:1")
    assert asked == ["10.0.0.1:1"]
    assert capfd.readouterr().err == ""


@pytest.mark.ray
def test_keys_in_chunks(pages, out, expected, cluster, monkeypatch):
    monkeypatch.setattr(join, "_CHUNK_KEYS", 5)
    ingest.run(pages, out, config=SMALL, ray=cluster.address)
    assert content(out) == expected


@pytest.mark.ray
def test_a_node_that_dies(pages, out, expected, cluster):
    def kill_node(done, _total):
        if done and cluster.worker_nodes:
            cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)

    ingest.run(pages, out, config=SMALL, ray=cluster.address, progress=kill_node)
    assert not cluster.worker_nodes
    assert content(out) == expected
    assert not out.with_name("out.unfinished").exists()


def test_what_a_node_checks(tmp_path):
    marker = tmp_path / "out.unfinished" / "locks" / "marker"
    run = {"versions": "v", "models": models_digest(), "marker": str(marker), "folder": "."}
    assert ray_node._find_problem(**run) == (
        f"does not see {tmp_path}/out.unfinished; OUT must be in a folder that all nodes share"
    )
    ray_node._find_problem.cache_clear()
    marker.parent.mkdir(parents=True)
    marker.touch()
    assert ray_node._find_problem(**run) == ""
    assert f"other models than the main process ({models_digest()}, not other)" in (
        ray_node._find_problem(**run | {"models": "other"})
    )


def test_a_worker_that_outlives_its_run_adds_nothing(pages, out):
    from ingest.pipeline.plan import make_plan
    from ingest.readers.sources import find_sources

    plan = make_plan(find_sources(pages), Config(), overwrite=False)
    state = State(out)
    task = json.dumps(("label", str(out), 0, plan.shards[0], {}, Config().to_dict(), {}))
    with state.lock(None), state.mark_running() as marker:
        run = {"versions": "v", "models": models_digest(), "marker": str(marker), "folder": "."}
        assert ray_node.run_task_on_node(task, run) == {"done": 0}
    shutil.rmtree(state.folder)
    answer = ray_node.run_task_on_node(task, run)
    assert answer["error"] == "WriteError"
    assert str(marker) in answer["message"]
    assert state.labelled_shards() == set()


@pytest.mark.ray
def test_a_node_without_ingest_can_say_so(tmp_path):
    # what Ray sends to a node must not need ingest there
    cloudpickle = pytest.importorskip("ray.cloudpickle", reason="Ray is not installed")
    cloudpickle.register_pickle_by_value(ray_node)
    (tmp_path / "function").write_bytes(cloudpickle.dumps(ray_node.start_task))
    (tmp_path / "ingest.py").write_text("import no_such_package")
    code = "import pickle; print(pickle.load(open('function', 'rb'))('', {'versions': 'x'}, {}))"
    said = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True,
                          capture_output=True, text=True).stdout  # fmt: skip
    assert "has no ingest that can be imported (No module named 'no_such_package')" in said


def test_markers_of_killed_runs_are_removed(out):
    state = State(out)
    with state.lock(None):
        kept = state.mark_running()
        marker = kept.__enter__()
    assert os.path.exists(marker)
    with State(out).lock("1-of-2"):  # another part may still be running
        assert os.path.exists(marker)
    with State(out).lock(None):
        assert not os.path.exists(marker)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ray": "auto", "workers": 2}, "workers: cannot be used with ray; use ray_workers"),
        ({"ray": "auto", "ray_workers": 0}, "ray_workers: 0 is less than 1"),
        ({"ray_workers": 2}, "ray_workers: needs ray"),
        ({"workers": 0}, "workers: 0 is less than 1"),
        (
            {"workers": 1025},
            "workers: 1025 is more than 1024; more than there are cores do not help",
        ),
    ],
)
def test_options_that_contradict_each_other(pages, out, options, message):
    with pytest.raises(ConfigError, match=message):
        ingest.run(pages, out, **options)
    assert not out.with_name("out.unfinished").exists()


@pytest.mark.parametrize("command", ["run", "score", "filter", "pair", "translate"])
def test_messages_name_the_options(command, pages, out, call):
    for options, message in (
        (["--ray", "auto", "--workers", "2"],
         "--workers: cannot be used with --ray; use --ray-workers"),
        (["--ray-workers", "2"], "--ray-workers: needs --ray, the address of a cluster or auto"),
        (["--workers", "0"], "--workers: 0 is less than 1"),
        (["--workers", "99999999"],
         "--workers: 99999999 is more than 1024; more than there are cores do not help: this "
         f"machine has {os.cpu_count()}"),
    ):  # fmt: skip
        outcome = call(command, pages, "-o", out, *options)
        assert (outcome.status, outcome.err) == (2, f"ingest: {message}\n")


def test_parts_that_do_not_exist(pages, out, call):
    for shard, message in (
        ("4/3", "'4/3' is not a part: the parts are 1/3 to 3/3"),
        ("0/3", "'0/3' is not a part: the parts are 1/3 to 3/3"),
        ("1/0", "'1/0' is not a part: there are no 0 parts"),
        ("a/3", "'a/3' is not of the form I/N, such as 1/4"),
    ):
        outcome = call("run", pages, "-o", out, "--shard", shard)
        assert outcome.status == 2
        assert message in outcome.err
    outcome = call("dataset", pages, "-o", out, "--workers", 0)
    assert (outcome.status, outcome.err) == (2, "ingest: --workers: 0 is less than 1\n")


def test_what_is_waited_for_is_printed(capsys, monkeypatch):
    monkeypatch.setattr(executors, "find_spec", lambda _name: True)
    log = logging.getLogger("ingest.pipeline.ray")
    for ray, quiet in (("auto", False), ("auto", True), (None, False)):
        args = argparse.Namespace(workers=1, ray=ray, ray_workers=None, quiet=quiet)
        with open_executor(args) as executor:
            assert executor == Executor(ray=ray)
            log.info("starting %s", ray)
    log.info("over")
    assert capsys.readouterr().err == "ingest: starting auto\ningest: starting None\n"


@pytest.mark.ray
def test_a_connection_is_announced(pages, out, call, cluster):
    options = ["-o", out, "--overwrite", "--ray", cluster.address]
    outcome = call("run", pages, *options)
    assert outcome.status == 0
    assert f"ingest: connecting to the Ray cluster {cluster.address}\n" in outcome.err
    assert call("run", pages, *options, "-q").err == ""


def test_without_ray_the_message_names_the_extra(monkeypatch):
    monkeypatch.setattr(executors, "find_spec", lambda _name: None)
    with pytest.raises(MissingExtraError, match=r'pip install "ingest\[ray\]"'):
        Executor(ray="auto").check()
