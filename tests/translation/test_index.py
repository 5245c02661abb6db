"""The argos index and downloads, from a local server."""

from __future__ import annotations

import json
import re
import sys
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from package_helpers import TOP, bare, below, command, no_extra

from ingest.errors import ConfigError, IngestError, MissingExtraError, ModelError
from ingest.io.locks import hold_lock
from ingest.translation.packages import download, index
from ingest.translation.packages import install as packages


@dataclass
class Server:
    """What the server serves, how it fails, and the requests it received."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)  # bytes after which the next responses are cut
    statuses: list[int] = field(default_factory=list)  # of the next responses
    ranges: bool = True
    sizes: bool = True
    requests: list[tuple[str, str | None]] = field(default_factory=list)  # path, Range
    agents: set[str] = field(default_factory=set)

    def offer(self, package: Path, source: str = "en", target: str = "ar", **more) -> None:
        """Add a package to the index."""
        entries = json.loads(self.files.get("/index.json", b"[]"))
        self.files[f"/{package.name}"] = package.read_bytes()
        entry = {
            "package_version": "1.0", "argos_version": "1.9", "from_code": source,
            "from_name": source.upper(), "to_code": target, "to_name": target.upper(),
            "links": [f"{self.url}/{package.name}"], "type": "translate", **more,
        }  # fmt: skip
        self.files["/index.json"] = json.dumps([*entries, entry]).encode()


@pytest.fixture
def server(monkeypatch):
    """A local server that $ARGOS_PACKAGE_INDEX points to."""
    served = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            _answer(self, served)

        def log_message(self, *_):
            """Do not log."""

    http_server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http_server.serve_forever, args=(0.01,), daemon=True).start()
    served.url = f"http://127.0.0.1:{http_server.server_port}"
    monkeypatch.setenv("ARGOS_PACKAGE_INDEX", served.url)
    yield served
    http_server.shutdown()
    http_server.server_close()


def _answer(to: BaseHTTPRequestHandler, served: Server) -> None:
    requests = to.headers.get("Range")
    served.requests.append((to.path, requests))
    served.agents.add(to.headers["User-Agent"])
    if served.statuses:
        return to.send_error(served.statuses.pop(0))
    data, tag = served.files.get(to.path), served.tags.get(to.path, "")
    if data is None:
        return to.send_error(404)
    start = 0
    if requests and served.ranges and to.headers.get("If-Range", tag) == tag:
        start = int(re.fullmatch(r"bytes=(\d+)-", requests)[1])
        if start >= len(data):
            to.send_response(416)
            to.send_header("Content-Range", f"bytes */{len(data)}")
            to.send_header("Content-Length", "0")
            return to.end_headers()
        to.send_response(206)
        to.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
    else:
        to.send_response(200)
    if served.sizes:
        to.send_header("Content-Length", str(len(data) - start))
    if tag:
        to.send_header("ETag", tag)
    to.end_headers()
    end = start + served.cuts.pop(0) if served.cuts and to.path != "/index.json" else len(data)
    to.wfile.write(data[start:end])
    return None


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    """No pauses between retries, and no proxy."""
    monkeypatch.setattr(download, "PAUSES", (0, 0, 0))
    monkeypatch.setenv("no_proxy", "*")


class TestDownload:
    DATA = bytes(range(256)) * 2_000

    @pytest.fixture
    def url(self, server):
        server.files["/x"] = self.DATA
        server.tags["/x"] = '"one"'
        return f"{server.url}/x"

    def get(self, url: str, path: Path, **more) -> None:
        download.download(url, path, **{"max_bytes": 1 << 20, **more})
        assert path.read_bytes() == self.DATA
        assert below(path.parent) == [path.name]

    def test_one_at_a_time(self, url, tmp_path):
        path = tmp_path / "d" / "x"
        with (
            hold_lock(path.with_name("x.lock")),
            pytest.raises(ModelError, match="another process"),
        ):
            self.get(url, path)
        self.get(url, path)

    def test_an_interrupted_download_is_resumed(self, url, tmp_path):
        def stop(done: int, _total: int) -> None:
            if done > 100_000:
                raise KeyboardInterrupt

        path = tmp_path / "d" / "x"
        with pytest.raises(KeyboardInterrupt) as caught:
            self.get(url, path, progress=stop)
        assert "bytes are kept; run the same command to resume" in caught.value.__notes__[0]
        self.get(url, path)

    def test_whole(self, url, tmp_path, server):
        calls = []
        self.get(url, tmp_path / "d" / "x", progress=lambda *at: calls.append(at))
        assert calls[-1] == (512_000, 512_000)
        assert calls == sorted(calls)
        assert server.requests == [("/x", None)]
        assert re.fullmatch(r"ingest/\d+\.\d+\.\d+", *server.agents)

    def test_a_cut_download_is_resumed(self, url, tmp_path, server):
        server.cuts = [100_000, 1, 300_000]
        calls = []
        self.get(url, tmp_path / "d" / "x", progress=lambda *at: calls.append(at))
        assert [at for _, at in server.requests] == [
            None, "bytes=100000-", "bytes=100001-", "bytes=400001-",
        ]  # fmt: skip
        assert {total for _, total in calls} == {512_000}

    def test_a_later_call_resumes(self, url, tmp_path, server):
        path = tmp_path / "d" / "x"
        server.cuts = [200_000, 0, 0, 0, 0]
        with pytest.raises(ModelError, match=r"cut; 200,000 bytes are kept; run the same command"):
            self.get(url, path)
        assert not path.exists()
        server.cuts, server.requests = [], []
        self.get(url, path)
        assert server.requests == [("/x", "bytes=200000-")]

    def test_a_changed_file_is_downloaded_again(self, url, tmp_path, server):
        path = tmp_path / "d" / "x"
        path.parent.mkdir()
        (path.parent / "x.part").write_bytes(b"old" * 100)
        (path.parent / "x.part.tag").write_text('"zero"')
        self.get(url, path)
        assert server.requests == [("/x", "bytes=300-")]

    def test_a_server_without_ranges(self, url, tmp_path, server):
        server.ranges = False
        server.cuts = [1_000]
        self.get(url, tmp_path / "d" / "x")
        assert len(server.requests) == 2

    def test_a_server_that_sends_no_size(self, url, tmp_path, server):
        server.sizes = False
        self.get(url, tmp_path / "d" / "x")

    def test_a_complete_partial_file(self, url, tmp_path, server):
        path = tmp_path / "d" / "x"
        path.parent.mkdir()
        (path.parent / "x.part").write_bytes(self.DATA)
        (path.parent / "x.part.tag").write_text('"one"')
        self.get(url, path)
        assert server.requests == [("/x", "bytes=512000-")]

    def test_a_partial_file_that_is_too_long(self, url, tmp_path, server):
        path = tmp_path / "d" / "x"
        path.parent.mkdir()
        (path.parent / "x.part").write_bytes(self.DATA + b"more")
        (path.parent / "x.part.tag").write_text('"one"')
        self.get(url, path)
        assert server.requests == [("/x", "bytes=512004-"), ("/x", None)]

    def test_a_busy_server(self, url, tmp_path, server):
        server.statuses = [503, 500]
        self.get(url, tmp_path / "d" / "x")

    def test_a_missing_file_is_requested_once(self, server, tmp_path):
        with pytest.raises(
            ModelError,
            match=r"/y: cannot be downloaded: HTTP 404 Not Found; to install a local file",
        ):
            self.get(f"{server.url}/y", tmp_path / "d" / "x")
        assert server.requests == [("/y", None)]

    @pytest.mark.parametrize("sizes", [True, False])
    def test_too_large(self, url, tmp_path, server, sizes):
        server.sizes = sizes
        with pytest.raises(ModelError, match="the limit is 100,000"):
            self.get(url, tmp_path / "d" / "x", max_bytes=100_000)

    @pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x.example/p", "x", ""])
    def test_other_addresses(self, url, tmp_path):
        with pytest.raises(ModelError, match="is not an http:// or https:// address"):
            self.get(url, tmp_path / "d" / "x")

    @pytest.mark.parametrize("url", ["http://", "http://[", "http://x y/", "http://127.0.0.1:x/"])
    def test_invalid_addresses(self, url, tmp_path):
        with pytest.raises(ModelError, match="cannot be downloaded"):
            self.get(url, tmp_path / "d" / "x")

    def test_a_folder_that_cannot_be_created(self, url, tmp_path):
        (tmp_path / "d").write_text("a file")
        with pytest.raises(IngestError, match="cannot be written"):
            self.get(url, tmp_path / "d" / "x")


class TestAddress:
    @pytest.mark.parametrize("given", ["http://x.example/a", "http://x.example/a/",
                                       "http://x.example/a/index.json"])  # fmt: skip
    def test_from_the_environment(self, monkeypatch, given):
        monkeypatch.setenv("ARGOS_PACKAGE_INDEX", given)
        assert index.index_url() == "http://x.example/a/index.json"

    def test_from_argostranslate_without_creating_folders(self, monkeypatch, tmp_path):
        pytest.importorskip("argostranslate.settings", reason="argostranslate is not installed")
        monkeypatch.delenv("ARGOS_PACKAGE_INDEX", raising=False)
        before = below(tmp_path)
        assert re.fullmatch(r"https://.+/index\.json", index.index_url())
        assert below(tmp_path) == before

    def test_from_the_settings_file_of_argostranslate(self, monkeypatch, tmp_path):
        pytest.importorskip("argostranslate.settings", reason="argostranslate is not installed")
        monkeypatch.delenv("ARGOS_PACKAGE_INDEX", raising=False)
        config = tmp_path / "home/.config/argos-translate/settings.json"
        config.parent.mkdir(parents=True)
        config.write_text('{"ARGOS_PACKAGE_INDEX": "http://mirror.example/"}')
        assert index.index_url() == "http://mirror.example/index.json"

    def test_the_default_is_that_of_argostranslate(self, monkeypatch):
        pytest.importorskip("argostranslate.settings", reason="argostranslate is not installed")
        monkeypatch.delenv("ARGOS_PACKAGE_INDEX", raising=False)
        with_library = index.index_url()
        monkeypatch.setattr(index, "find_spec", lambda _: None)
        assert index.index_url() == with_library

    def test_without_argostranslate(self, monkeypatch, tmp_path):
        monkeypatch.delenv("ARGOS_PACKAGE_INDEX", raising=False)
        monkeypatch.setattr(index, "find_spec", lambda _: None)
        assert re.fullmatch(r"https://.+/index\.json", index.index_url())
        config = tmp_path / "home/.config/argos-translate/settings.json"
        config.parent.mkdir(parents=True)
        config.write_text('{"ARGOS_PACKAGE_INDEX": "http://mirror.example/"}')
        assert index.index_url() == "http://mirror.example/index.json"


class TestAvailable:
    def test_in_order_the_newest_first(self, server, tiny_package):
        server.offer(tiny_package, "fr", "en")
        server.offer(tiny_package, "en", "ar", package_version="1.9")
        server.offer(tiny_package, "en", "ar", package_version="1.10")
        offers = [(o.from_lang, o.to_lang, o.version) for o in index.fetch_index()]
        assert offers == [("en", "ar", "1.10"), ("en", "ar", "1.9"), ("fr", "en", "1.0")]

    def test_unusable_entries_are_skipped(self, server, tiny_package):
        server.offer(tiny_package, "fr", "en")
        for wrong in ({"type": "sbd"}, {"from_code": None}, {"to_code": "../x"}, {"links": []},
                      {"links": ["file:///etc/passwd", 7]}, {"links": None}, {"from_name": 1}):  # fmt: skip
            server.offer(tiny_package, "en", "ar", **wrong)
        entries = json.loads(server.files["/index.json"])
        server.files["/index.json"] = json.dumps([*entries, 7, None, [], "x"]).encode()
        assert [o.from_lang for o in index.fetch_index()] == ["fr"]

    @pytest.mark.parametrize("data", [b"", b"<html>", b"{}", b"\xff", b"[" * 100_000, b'{"a": [}'])
    def test_an_invalid_index(self, server, data):
        server.files["/index.json"] = data
        with pytest.raises(ModelError, match=r"index.json: is not a package index"):
            index.fetch_index()

    def test_no_such_page(self, server):
        with pytest.raises(
            ModelError, match=r"index.json: cannot be downloaded: HTTP 404 Not Found"
        ):
            index.fetch_index()

    def test_an_index_cut_off(self, server, tiny_package, monkeypatch):
        server.offer(tiny_package)
        server.files["/other/index.json"] = server.files["/index.json"]
        server.cuts = [20]
        monkeypatch.setenv("ARGOS_PACKAGE_INDEX", f"{server.url}/other")
        with pytest.raises(ModelError, match="cannot be downloaded: the connection was cut"):
            index.fetch_index()

    def test_an_endless_index(self, server, monkeypatch):
        monkeypatch.setattr(index, "_MAX_INDEX_BYTES", 1_000)
        server.files["/index.json"] = b" " * 2_000
        with pytest.raises(ModelError, match="the limit is 1,000"):
            index.fetch_index()

    def test_offline(self, server, monkeypatch):
        monkeypatch.setenv("ARGOS_PACKAGE_INDEX", "http://127.0.0.1:9")  # nobody listens there
        with pytest.raises(ModelError) as caught:
            index.fetch_index()
        message = str(caught.value)
        assert message.startswith("http://127.0.0.1:9/index.json: cannot be downloaded: ")
        assert message.endswith("; to install a local file: ingest models install FILE")


@pytest.mark.usefixtures("tiny")
class TestInstallPair:
    def test_a_pair(self, server, tiny_package, packages_dir, tmp_path):
        server.offer(tiny_package)
        [(package, there)] = index.install_pair("en", "ar")
        assert not there
        assert (package.path, package.origin) == (packages_dir / TOP, "ours")
        assert package.archive_info["from"] == f"{server.url}/{tiny_package.name}"
        assert package.archive_info["bytes"] == tiny_package.stat().st_size
        assert below(tmp_path / "home/.cache/ingest/downloads") == []

    def test_the_newest(self, server, tiny, tmp_path):
        for version in ("1.9", "1.10", "1.2"):
            server.offer(tiny.make(tmp_path / "made", version=version), package_version=version)
        [(package, _)] = index.install_pair("en", "ar")
        assert package.version == "1.10"

    def test_already_installed(self, server, tiny_package, packages_dir):
        server.offer(tiny_package)
        [(first, _)] = index.install_pair("en", "ar")
        server.requests.clear()
        assert index.install_pair("en", "ar") == [(first, True)]
        assert server.requests == [("/index.json", None)]
        assert index.install_pair("en", "ar", overwrite=True) == [(first, False)]

    def test_already_installed_by_argostranslate(
        self, server, tiny_package, packages_dir, tmp_path
    ):
        server.offer(tiny_package)
        bare(tmp_path / "argos", "en", "ar")
        [(package, there)] = index.install_pair("en", "ar")
        assert there
        assert package.origin == "argostranslate"
        assert not packages_dir.exists()

    def test_a_newer_version_is_fetched(self, server, tiny_package, packages_dir):
        bare(packages_dir, "en", "ar", "0.9")
        server.offer(tiny_package)
        assert [there for _, there in index.install_pair("en", "ar")] == [False]
        assert packages.find("en", "ar")[0].version == "1.0"

    def test_through_a_third_language(self, server, tiny, tmp_path):
        for source, target in (("fr", "en"), ("en", "ar"), ("ar", "fr")):
            server.offer(tiny.make(tmp_path / "made", source=source, target=target), source, target)
        done = index.install_pair("fr", "ar")
        assert [p.name for p, _ in done] == ["translate-fr_en-1_0", "translate-en_ar-1_0"]
        assert packages.find("fr", "ar") == [p for p, _ in done]

    def test_no_such_pair(self, server, tiny_package):
        server.offer(tiny_package)
        with pytest.raises(
            ModelError, match=r"no package translates ar to en.*models list --avail"
        ):
            index.install_pair("ar", "en")

    def test_the_next_call_resumes_a_cut_download(self, server, tiny_package, packages_dir):
        server.offer(tiny_package)
        server.cuts = [50_000, 0, 0, 0, 0]
        with pytest.raises(ModelError, match="run the same command to resume"):
            index.install_pair("en", "ar")
        assert not packages_dir.exists()
        server.cuts, server.requests = [], []
        index.install_pair("en", "ar")
        assert server.requests[1:] == [(f"/{tiny_package.name}", "bytes=50000-")]

    def test_the_next_link_is_tried(self, server, tiny_package):
        links = [f"{server.url}/gone", f"{server.url}/{tiny_package.name}"]
        server.offer(tiny_package, links=links)
        [(package, _)] = index.install_pair("en", "ar")
        assert package.archive_info["from"] == links[1]

    def test_every_link_is_dead(self, server, tiny_package):
        server.offer(tiny_package, links=[f"{server.url}/gone", f"{server.url}/lost"])
        with pytest.raises(
            ModelError, match=r"(?s)/gone: cannot be downloaded.*/lost: cannot be downloaded"
        ):
            index.install_pair("en", "ar")

    def test_a_broken_package_is_not_kept(self, server, tiny, packages_dir, tmp_path):
        package = tiny.make(tmp_path / "made", damage={"model/model.bin": lambda data: data[:-9]})
        server.offer(package)
        with pytest.raises(ModelError, match="truncated"):
            index.install_pair("en", "ar")
        assert not packages_dir.exists()
        assert below(tmp_path / "home/.cache/ingest/downloads") == []
        server.offer(tiny.make(tmp_path / "made"))  # repaired, at the same address
        assert len(index.install_pair("en", "ar")) == 1

    def test_a_package_of_other_languages(self, server, tiny_package, packages_dir):
        server.offer(tiny_package, "en", "fr")
        with pytest.raises(ModelError, match="translates en to ar, not en to fr as the index says"):
            index.install_pair("en", "fr")
        assert not packages_dir.exists()

    def test_without_the_extra_nothing_is_fetched(self, server, tiny_package, monkeypatch):
        server.offer(tiny_package)
        no_extra(monkeypatch)
        with pytest.raises(MissingExtraError, match=r"ingest\[translate\]"):
            index.install_pair("en", "ar")
        assert server.requests == []

    def test_the_command(self, server, tiny_package, capsys):
        server.offer(tiny_package)
        assert command("install", "en", "ar") == 0
        shown = capsys.readouterr()
        assert f"installed {TOP}: en to ar" in shown.out
        assert "made for a test" in shown.out
        assert shown.err == ""
        assert command("install", "en", "ar") == 0
        assert f"{TOP} is already installed" in capsys.readouterr().out

    def test_two_codes_are_never_files(self, server, tiny_package, capsys, tmp_path, monkeypatch):
        server.offer(tiny_package)
        monkeypatch.chdir(tmp_path)
        (tmp_path / "en").mkdir()
        (tmp_path / "ar").write_bytes(b"")
        assert command("install", "en", "ar") == 0
        assert f"installed {TOP}: en to ar" in capsys.readouterr().out

    def test_source_and_target_must_differ(self, server):
        with pytest.raises(ConfigError, match="source and target are both en"):
            index.install_pair("en", "en")
        assert server.requests == []

    def test_progress_on_a_terminal(self, server, tiny_package, capsys, monkeypatch):
        server.offer(tiny_package)
        monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
        monkeypatch.setenv("FORCE_COLOR", "1")
        assert command("install", "en", "ar") == 0
        assert "en to ar" in capsys.readouterr().err

    def test_list_available(self, server, tiny_package, packages_dir, capsys):
        server.offer(tiny_package)
        server.offer(tiny_package, "ar", "en", from_name="Ar\x1babic")
        bare(packages_dir, "ar", "en")
        assert command("list", "--available") == 0
        lines = [line.split() for line in capsys.readouterr().out.splitlines()]
        assert lines[1:] == [
            ["ar", "en", "1.0", "Ar␛abic", "to", "EN", "yes"],
            ["en", "ar", "1.0", "EN", "to", "AR"],
        ]
        assert command("list", "--available", "--json") == 0
        offers = map(json.loads, capsys.readouterr().out.splitlines())
        assert [(o["from"], o["to"], o["installed"]) for o in offers] == [
            ("ar", "en", True), ("en", "ar", False),
        ]  # fmt: skip
