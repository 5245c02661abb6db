"""The translation cache: kept across runs and kills, shared by processes."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from string import ascii_lowercase
from tempfile import TemporaryDirectory

import pytest

from ingest.errors import SourceError, WriteError
from ingest.translation.cache import FILE, Cache, CachedTranslation, cache_key
from ingest.translation.packages.locations import cache_dir


def cached(text: str) -> CachedTranslation:
    return CachedTranslation(text, -0.5, 3, False)


def test_entries_are_kept(tmp_path):
    names = [cache_key(str(n), "m", "") for n in range(1200)]
    with Cache(tmp_path) as cache:
        cache.put((name, cached(str(n))) for n, name in enumerate(names[:1100]))
        cache.put([(names[0], cached("another"))])
    with Cache(tmp_path) as cache:
        entries = cache.get(names)
    assert len(entries) == 1100
    assert entries[names[0]] == cached("0")
    assert entries[names[1099]] == cached("1099")


def test_keys_depend_on_text_model_and_options():
    assert (
        len({cache_key(*parts) for parts in ("aab", "aba", "baa", "abb", "bab", "bba", "aaa")}) == 7
    )


def test_the_default_folder(monkeypatch, tmp_path):
    assert cache_dir() == tmp_path / "home" / ".cache" / "ingest"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_dir() == tmp_path / "xdg" / "ingest"
    monkeypatch.setenv("INGEST_CACHE_DIR", str(tmp_path / "own"))
    assert cache_dir() == tmp_path / "own"
    with Cache() as cache:
        assert cache.path == tmp_path / "own" / FILE


def sound(size: int) -> bytes:
    """The content of a cache of 5,000 entries, damaged within if `size` is above 0."""
    with TemporaryDirectory() as folder:
        with Cache(folder) as cache:
            cache.put((name, cached("x" * 50)) for name in KEYS)
        data = bytearray((Path(folder) / FILE).read_bytes())
    data[8192 : 8192 + size] = b"\xff" * size
    return bytes(data)


KEYS = [cache_key(str(n), "m", "") for n in range(5000)]


@pytest.mark.parametrize(
    "damage",
    [
        lambda: b"no database at all, but long enough to be looked at" * 40,
        lambda: sound(0)[:20_000],
        lambda: bytes(len(sound(0))),
        lambda: sound(200_000),
    ],
    ids=["text", "half", "zeros", "within"],
)
def test_a_damaged_file_is_put_aside(tmp_path, damage):
    (tmp_path / FILE).write_bytes(damage())
    with Cache(tmp_path) as cache:
        assert cache.get(KEYS) == {}
        cache.put([(KEYS[0], cached("new"))])
        [note] = cache.notes
    assert note.startswith(f"{tmp_path / FILE}: the translation cache was damaged (")
    assert note.endswith(f"is now {tmp_path / FILE}.damaged; its texts are translated again")
    assert sorted(os.listdir(tmp_path)) == [FILE, f"{FILE}.damaged"]
    assert (tmp_path / f"{FILE}.damaged").read_bytes() == damage()
    with Cache(tmp_path) as cache:
        assert cache.get(KEYS) == {KEYS[0]: cached("new")}
        assert cache.notes == []


def test_a_file_that_was_emptied_is_filled_again(tmp_path):
    (tmp_path / FILE).touch()
    with Cache(tmp_path) as cache:
        cache.put([(KEYS[0], cached("new"))])
        assert cache.get(KEYS) == {KEYS[0]: cached("new")}


def test_damage_is_noticed_when_something_is_stored(tmp_path):
    (tmp_path / FILE).write_bytes(sound(200_000))
    with Cache(tmp_path) as cache:
        cache.put((cache_key(str(n), "m2", ""), cached("new")) for n in range(300))
        assert len(cache.notes) == 1
        assert len(cache.get([cache_key(str(n), "m2", "") for n in range(300)])) == 300


def test_another_process_was_faster_to_put_a_file_aside(tmp_path):
    (tmp_path / FILE).write_bytes(sound(200_000))
    with Cache(tmp_path) as slow:
        with Cache(tmp_path) as cache:
            cache.get(KEYS)
            cache.put([(KEYS[0], cached("new"))])
        assert slow.get(KEYS) == {}
        assert slow.get(KEYS) == {KEYS[0]: cached("new")}


def test_the_file_of_another_program_is_left_alone(tmp_path):
    base = sqlite3.connect(tmp_path / FILE)
    base.execute("CREATE TABLE theirs (a)")
    base.commit()
    base.close()
    with pytest.raises(SourceError, match="not a translation cache of this version"):
        Cache(tmp_path)
    base = sqlite3.connect(tmp_path / FILE)
    assert base.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]
    base.close()


def test_a_folder_that_cannot_be_created_is_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(WriteError, match="another folder with --cache"):
        Cache(tmp_path / "file" / "cache")


def test_errors_in_the_default_folder_name_the_variable(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("INGEST_CACHE_DIR", str(tmp_path / "file" / "cache"))
    with pytest.raises(WriteError, match=r"another folder with \$INGEST_CACHE_DIR"):
        Cache()


def test_threads_share_one(tmp_path):
    names = [cache_key(str(n), "m", "") for n in range(400)]
    with Cache(tmp_path) as cache, ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda name: cache.put([(name, cached("a"))]), names))
        batches = threads.map(lambda at: cache.get(names[at : at + 50]), range(0, 400, 50))
        assert sum(map(len, batches)) == 400


def test_programming_errors_are_not_converted(tmp_path):
    cache = Cache(tmp_path)
    cache.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        cache.get([b"a"])


FILL = """
import sys
from ingest.translation.cache import Cache, CachedTranslation, cache_key

first = int(sys.argv[2])
with Cache(sys.argv[1]) as cache:
    for n in range(first, first + 50):
        cache.put([(cache_key(str(n), "m", ""), CachedTranslation(str(n), -0.5, 3, False))])
"""


def test_several_processes_at_once(tmp_path):
    calls = [[sys.executable, "-c", FILL, str(tmp_path), str(n * 40)] for n in range(4)]
    processes = [subprocess.Popen(call) for call in calls]
    assert [process.wait(60) for process in processes] == [0] * 4
    with Cache(tmp_path) as cache:
        assert len(cache.get([cache_key(str(n), "m", "") for n in range(400)])) == 170


@pytest.fixture
def package(tmp_path, tiny_package):
    from ingest.translation.packages.package import load

    with zipfile.ZipFile(tiny_package) as file:
        file.extractall(tmp_path / "package")
    return load(next((tmp_path / "package").iterdir()))


def test_a_second_translator_takes_everything_from_the_cache(tmp_path, package):
    from ingest.config import TranslateConfig
    from ingest.translation.engine import Translator

    texts = ["Our team won the match. She reads.", "She reads.", "Prices rose.\nOur team won.", " "]
    with Cache(tmp_path / "cache") as cache:
        first = Translator(package, cache=cache)
        translations = first.translate(texts)
        second = Translator(package, cache=cache)
        assert second.translate(texts) == translations
        assert (first.tokens > 0, second.tokens) == (True, 0)
        other = Translator(package, config=TranslateConfig(beam_size=1), cache=cache)
        other.translate(texts)
        assert other.tokens == first.tokens


KILLED = """
import json, sys
from pathlib import Path
from ingest.translation import engine, package_translator
from ingest.translation.cache import Cache
from ingest.translation.packages.package import load

package_translator._COMMIT_SECONDS = 0.02
with Cache(sys.argv[2]) as cache:
    engine.Translator(load(Path(sys.argv[1])), cache=cache).translate(json.load(sys.stdin))
"""


def test_a_killed_translation_resumes_from_its_cache(tmp_path, package):
    from ingest.translation.engine import Translator

    dice = random.Random(7)
    texts = [
        " ".join("".join(dice.choices(ascii_lowercase, k=6)) for _ in range(12)) for _ in range(600)
    ]
    with Cache(tmp_path / "whole") as cache:
        whole = Translator(package, cache=cache)
        translations = whole.translate(texts)
    call = [sys.executable, "-c", KILLED, str(package.path), str(tmp_path / "killed")]
    with subprocess.Popen(call, stdin=subprocess.PIPE, text=True) as process:
        assert process.stdin
        json.dump(texts, process.stdin)
        process.stdin.close()
        deadline = time.monotonic() + 60
        while kept(tmp_path / "killed") < 50:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    assert 50 <= kept(tmp_path / "killed") < 600
    with Cache(tmp_path / "killed") as cache:
        again = Translator(package, cache=cache)
        assert again.translate(texts) == translations
    assert 0 < again.tokens < whole.tokens
    assert kept(tmp_path / "killed") == kept(tmp_path / "whole")


def kept(folder) -> int:
    if not (folder / FILE).exists():
        return 0
    base = sqlite3.connect(folder / FILE, timeout=30)
    try:
        return base.execute("SELECT count(*) FROM said").fetchone()[0]
    except sqlite3.OperationalError:
        return 0  # the table does not exist yet
    finally:
        base.close()
