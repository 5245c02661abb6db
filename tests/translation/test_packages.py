"""Packages on disk: list, install, reject, remove."""

from __future__ import annotations

import json
import os
import random
import shutil
import stat
import struct
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from package_helpers import TOP, bare, below, command, no_extra, zipped

from ingest.errors import ConfigError, IngestError, MissingExtraError, ModelError, WriteError
from ingest.translation.packages import install as packages
from ingest.translation.packages.archive import MAX_MEMBERS, find_fault, open_archive


def with_bpe_tokenizer(package: Path) -> Path:
    """Rename the tokenizer of a package to bpe.model."""
    path = package.with_name("bpe.argosmodel")
    with zipfile.ZipFile(package) as old:
        members = {n.replace("sentencepiece", "bpe"): old.read(n) for n in old.namelist()}
    return zipped(path, members)


class TestInstall:
    def test_a_package(self, tiny_package, packages_dir):
        package = packages.install(tiny_package)
        assert package == packages.load(packages_dir / TOP)
        assert (package.name, package.from_lang, package.to_lang) == (TOP, "en", "ar")
        assert (package.version, package.tokenizer) == ("1.0", "sentencepiece.model")
        assert (package.target_prefix, package.origin) == ("", "ours")
        assert package.license.startswith("This package was made for a test.")
        assert below(packages_dir) == [
            TOP, f"{TOP}/LICENSE", f"{TOP}/README.md", f"{TOP}/ingest.json",
            f"{TOP}/metadata.json", f"{TOP}/model", f"{TOP}/model/config.json",
            f"{TOP}/model/model.bin", f"{TOP}/model/shared_vocabulary.json",
            f"{TOP}/sentencepiece.model",
        ]  # fmt: skip

    def test_the_record(self, tiny_package, packages_dir):
        package = packages.install(tiny_package, source="http://x.example/p.argosmodel")
        record = json.loads((packages_dir / TOP / "ingest.json").read_text())
        assert record["archive"] == {
            "file": tiny_package.name,
            "bytes": tiny_package.stat().st_size,
            "sha256": subprocess.run(
                ["sha256sum", tiny_package], capture_output=True, text=True, check=True
            ).stdout.split()[0],
            "from": "http://x.example/p.argosmodel",
        }
        assert record["sha256"] == package.sha256 == package.compute_sha256()

    def test_the_hash_is_of_names_and_contents(self, tiny_package, packages_dir):
        package = packages.install(tiny_package)
        before = package.compute_sha256()
        (packages_dir / TOP / "README.md").rename(packages_dir / TOP / "README.txt")
        renamed = package.compute_sha256()
        (packages_dir / TOP / "README.txt").write_text("other")
        assert len({before, renamed, package.compute_sha256()}) == 3

    def test_installing_again_changes_nothing(self, tiny_package, packages_dir):
        first = packages.install(tiny_package)
        record = packages_dir / TOP / "ingest.json"
        written = record.stat().st_mtime_ns
        assert packages.install(tiny_package) == first
        assert packages.find_same(tiny_package) == first
        assert record.stat().st_mtime_ns == written

    def test_another_of_the_same_name(self, tiny_package, packages_dir, tmp_path, tiny):
        packages.install(tiny_package)
        other = tiny.make(tmp_path / "other", seed=1)
        before = packages.load(packages_dir / TOP).compute_sha256()
        with pytest.raises(ModelError, match=r"another package of this name .* --overwrite"):
            packages.install(other)
        assert packages.load(packages_dir / TOP).compute_sha256() == before
        assert packages.install(other, overwrite=True).sha256 != before
        assert [p.name for p in packages_dir.iterdir()] == [TOP]

    def test_a_package_with_changed_files_is_not_the_same(self, tiny_package, packages_dir):
        packages.install(tiny_package)
        (packages_dir / TOP / "README.md").write_text("changed")
        with pytest.raises(ModelError, match="or its files were changed"):
            packages.install(tiny_package)
        packages.install(tiny_package, overwrite=True)
        assert "changed" not in (packages_dir / TOP / "README.md").read_text()

    def test_overwrite_does_not_replace_other_folders(self, tiny_package, packages_dir):
        (packages_dir / TOP).mkdir(parents=True)
        (packages_dir / TOP / "thesis.txt").write_text("years of work")
        with pytest.raises(ModelError, match="is not a package, and is not replaced"):
            packages.install(tiny_package, overwrite=True)
        assert below(packages_dir) == [TOP, f"{TOP}/thesis.txt"]

    def test_a_failure_when_overwriting_keeps_what_was_there(
        self, tiny_package, packages_dir, tmp_path, tiny
    ):
        before = packages.install(tiny_package).compute_sha256()
        broken = tiny.make(tmp_path / "b", damage={"model/model.bin": lambda data: data[:-1]})
        with pytest.raises(ModelError, match="truncated"):
            packages.install(broken, overwrite=True)
        assert packages.load(packages_dir / TOP).compute_sha256() == before
        assert [p.name for p in packages_dir.iterdir()] == [TOP]

    def test_leftovers_of_a_killed_install_are_deleted(self, tiny_package, packages_dir):
        old, new = packages_dir / f".{TOP}.0123abcd", packages_dir / f".{TOP}.4567cdef"
        for left in (old, new):
            left.mkdir(parents=True)
        os.utime(old, (0, 0))
        packages.install(tiny_package)
        assert not old.exists()
        assert new.exists()  # another process may be using it
        assert [p.name for p in packages.installed()] == [TOP]

    def test_a_folder_that_cannot_be_created(self, tiny_package, packages_dir):
        packages_dir.write_text("a file where the folder is to be")
        with pytest.raises(IngestError, match="cannot be written"):
            packages.install(tiny_package)

    def test_a_prefix(self, packages_dir, tmp_path, tiny):
        archive = tiny.make(tmp_path / "p", target_prefix=">>ar<<")
        assert packages.install(archive).target_prefix == ">>ar<<"

    def test_a_tokenizer_of_merges(self, tmp_path, tiny):
        pairs = [(a, b) for a in "abcdefgh" for b in "abcdefgh"]
        merges = [
            "#version: 0.2",
            *(f"{a} {b}" for a, b in pairs),
            *(f"{a} {b}</w>" for a, b in pairs),
        ]
        words = [*(a + b for a, b in pairs), *(f"{a}{b}@@" for a, b in pairs), *"abcdefgh"]
        tokens = ["<unk>", "<s>", "</s>", *words, *(f"filler{n}" for n in range(21))]
        archive = tiny.make(
            tmp_path,
            damage={
                "sentencepiece.model": lambda _: "\n".join(merges).encode(),
                "model/shared_vocabulary.json": lambda _: json.dumps(tokens).encode(),
            },
        )
        assert packages.install(with_bpe_tokenizer(archive)).tokenizer == "bpe.model"

    def test_verify_finds_changed_files(self, tiny_package, packages_dir, shipped, tmp_path):
        ours = packages.install(tiny_package)
        shutil.copy(tiny_package, shipped)
        ours.verify()
        (theirs := tmp_path / "argos").mkdir()
        shutil.copytree(ours.path, theirs / TOP)  # with the record of another install
        packages.remove(TOP)
        (theirs / TOP / "README.md").write_text("other")
        package = packages.find("en", "ar")[0]
        assert package.origin == "argostranslate"
        package.verify()
        assert package.sha256 == package.compute_sha256() != ours.sha256
        shutil.rmtree(theirs)
        for origin, remedy in (
            ("shipped", "delete that folder"),
            ("ours", "reinstall .* --overwrite"),
        ):
            if origin == "ours":
                packages.install(tiny_package)
            changed = packages.find("en", "ar")[0]
            assert changed.origin == origin
            readme = (changed.path / "README.md").read_bytes()
            (changed.path / "README.md").write_bytes(readme[::-1])
            with pytest.raises(
                ModelError, match=f"files were changed since the install; .*{remedy}"
            ):
                changed.verify()

    def test_without_the_extra(self, tiny_package, packages_dir, monkeypatch):
        no_extra(monkeypatch)
        with pytest.raises(MissingExtraError, match=r"ingest\[translate\]"):
            packages.install(tiny_package)
        assert not packages_dir.exists()


class TestBroken:
    """Packages that are rejected, and leave nothing behind."""

    @pytest.fixture(autouse=True)
    def _nothing_is_left(self, packages_dir):
        yield
        assert not packages_dir.exists()

    @pytest.mark.parametrize("name", ["metadata.json", "sentencepiece.model", "model/model.bin"])
    def test_a_part_is_missing(self, tmp_path, tiny, name):
        with pytest.raises(ModelError, match=f"argosmodel: .*{name}.* is missing"):
            packages.install(tiny.make(tmp_path, without=(name,)))

    def test_the_vocabulary_is_missing(self, tmp_path, tiny):
        archive = tiny.make(tmp_path, without=("model/shared_vocabulary.json",))
        with pytest.raises(ModelError, match=r"vocabulary.* is missing"):
            packages.install(archive)

    @pytest.mark.parametrize(
        ("metadata", "message"),
        [
            ({"from_code": None}, "from_code is None, not a language code"),
            ({"to_code": "../ar"}, "to_code is '../ar', not a language code"),
            ({"to_code": 7}, "to_code is 7, not a language code"),
            ({"to_code": "en"}, "both 'en'"),
            ({"package_version": None}, "package_version is None"),
            ({"package_version": "new\x1b[2J"}, "package_version is 'new"),
            ({"type": "sbd"}, "type is 'sbd', not 'translate'"),
            ({"target_prefix": ["x"]}, "target_prefix is"),
            ({"target_prefix": "\ud800"}, "target_prefix is .*, not printable text"),
            ({"notes": "x" * (1 << 20)}, "has over 1,048,576 bytes"),
        ],
    )
    def test_the_metadata_are_wrong(self, tmp_path, tiny, metadata, message):
        with pytest.raises(ModelError, match=message):
            packages.install(tiny.make(tmp_path, metadata=metadata))

    @pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff\xfe", b"[" * 100_000, b"null"])
    def test_the_metadata_are_none(self, tmp_path, tiny, data):
        archive = tiny.make(tmp_path, damage={"metadata.json": lambda _: data})
        with pytest.raises(ModelError, match=r"metadata.json is not (a )?JSON"):
            packages.install(archive)

    @pytest.mark.parametrize("keep", [0, 3, 11, 500, 30_000, -9, -1])
    def test_the_model_is_cut_off(self, tmp_path, tiny, keep):
        archive = tiny.make(tmp_path, damage={"model/model.bin": lambda data: data[:keep]})
        with pytest.raises(ModelError, match=r"model.bin is truncated"):
            packages.install(archive)

    def test_the_model_is_something_else(self, tmp_path, tiny):
        archive = tiny.make(tmp_path, damage={"model/model.bin": lambda data: b"\x89PNG" * 999})
        with pytest.raises(ModelError, match="model"):
            packages.install(archive)

    def test_the_model_lacks_a_table(self, tmp_path, tiny):
        def rename(data: bytes) -> bytes:
            return data.replace(
                b"encoder/layer_0/ffn/linear_0/weight\0", b"encoder/layer_0/ffn/linear_X/weight\0"
            )

        archive = tiny.make(tmp_path, damage={"model/model.bin": rename})
        with pytest.raises(ModelError, match=r"model/model.bin does not load"):
            packages.install(archive)

    def test_a_model_that_ends_the_process(self, tmp_path, tiny, monkeypatch):
        monkeypatch.setattr(
            "subprocess.run", lambda *_, **__: subprocess.CompletedProcess([], -11, b"", b"")
        )
        archive = tiny.make(tmp_path)
        with pytest.raises(
            ModelError, match=r"model.bin crashes the process that loads it \(-11\)"
        ):
            packages.install(archive)

    @pytest.mark.parametrize("data", [b"", b"no tokenizer", bytes(1000)])
    def test_the_tokenizer_does_not_load(self, tmp_path, tiny, data):
        archive = tiny.make(tmp_path, damage={"sentencepiece.model": lambda _: data})
        with pytest.raises(ModelError, match=r"sentencepiece.model"):
            packages.install(archive)

    def test_the_tokenizer_of_another_model(self, tmp_path, tiny):
        import io

        import sentencepiece

        other = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(["Ωμέγα και άλφα, όπως λένε", "τα γράμματα του αλφαβήτου"]),
            model_writer=other, vocab_size=40, model_type="bpe", minloglevel=2,
        )  # fmt: skip
        archive = tiny.make(tmp_path, damage={"sentencepiece.model": lambda _: other.getvalue()})
        with pytest.raises(ModelError, match="another model's tokenizer"):
            packages.install(archive)

    @pytest.mark.parametrize("change", [lambda v: v[:-3], lambda v: [*v, "more"]])
    def test_the_vocabulary_is_of_another_size(self, tmp_path, tiny, change):
        def changed(data: bytes) -> bytes:
            return json.dumps(change(json.loads(data))).encode()

        archive = tiny.make(tmp_path, damage={"model/shared_vocabulary.json": changed})
        with pytest.raises(ModelError, match=r"has 160 \w+ words, but its vocabulary 1"):
            packages.install(archive)

    def test_a_vocabulary_of_odd_words(self, tmp_path, tiny):
        def changed(data: bytes) -> bytes:
            return json.dumps(["\ud800\0" + word for word in json.loads(data)]).encode()

        archive = tiny.make(tmp_path, damage={"model/shared_vocabulary.json": changed})
        with pytest.raises(ModelError, match=r"another model's tokenizer|does not load"):
            packages.install(archive)

    @pytest.mark.parametrize("data", [b"{}", b"[1, 2]", b"[", b"[]"])
    def test_the_vocabulary_is_none(self, tmp_path, tiny, data):
        archive = tiny.make(tmp_path, damage={"model/shared_vocabulary.json": lambda _: data})
        with pytest.raises(ModelError, match="is not a list of words"):
            packages.install(archive)

    @pytest.mark.parametrize(
        "data",
        [
            b'["%s"]' % random.Random(1).randbytes(9 << 20).hex().encode(),
            b"[" + b'"",' * 600_000 + b'""]',
        ],
        ids=["bytes", "words"],
    )
    def test_a_vocabulary_that_would_fill_the_memory(self, tmp_path, tiny, data):
        archive = tiny.make(tmp_path, damage={"model/shared_vocabulary.json": lambda _: data})
        with pytest.raises(ModelError, match=r"shared_vocabulary.json .* the? ?limit"):
            packages.install(archive)

    def test_merges_that_would_fill_the_memory(self, tmp_path, tiny):
        archive = tiny.make(tmp_path, damage={"sentencepiece.model": lambda _: b"a b\n" * 600_000})
        with pytest.raises(ModelError, match=r"bpe.model has over 524,288 words"):
            packages.install(with_bpe_tokenizer(archive))

    @pytest.mark.parametrize("data", [b"x", b"", b"a b c", b"\xff \xff"])
    def test_merges_that_are_none(self, tmp_path, tiny, data):
        archive = tiny.make(tmp_path, damage={"sentencepiece.model": lambda _: data})
        with pytest.raises(ModelError, match=r"bpe.model does not load"):
            packages.install(with_bpe_tokenizer(archive))

    def test_merges_of_another_model(self, tmp_path, tiny):
        archive = tiny.make(tmp_path, damage={"sentencepiece.model": lambda _: b"q z\nz q</w>\n"})
        with pytest.raises(ModelError, match="another model's tokenizer"):
            packages.install(with_bpe_tokenizer(archive))

    @pytest.mark.parametrize("data", [b"", b"no zip at all", b"PK\x03\x04 begun"])
    def test_no_zip(self, tmp_path, data):
        path = tmp_path / "x.argosmodel"
        path.write_bytes(data)
        with pytest.raises(ModelError, match=r"is not a package, .* or is incomplete"):
            packages.install(path)

    def test_no_file(self, tmp_path):
        with pytest.raises(ModelError, match="no such file"):
            packages.install(tmp_path / "x.argosmodel")

    def test_half_of_the_file(self, tmp_path, tiny_package):
        path = tmp_path / "x.argosmodel"
        data = tiny_package.read_bytes()
        path.write_bytes(data[: len(data) // 2])
        with pytest.raises(ModelError, match=r"is not a package, .* or is incomplete"):
            packages.install(path)

    def test_a_byte_is_wrong(self, tmp_path, tiny_package):
        path = tmp_path / "x.argosmodel"
        data = bytearray(tiny_package.read_bytes())
        with zipfile.ZipFile(tiny_package) as archive:
            at = archive.getinfo(f"{TOP}/model/model.bin").header_offset + 5000
        data[at] ^= 0xFF
        path.write_bytes(data)
        with pytest.raises(ModelError, match=r"model/model.bin is damaged"):
            packages.install(path)


class TestHostile:
    """Malicious zips: rejected before anything is written."""

    @pytest.mark.parametrize(
        "name",
        [
            "../evil", "p/../../evil", "p/..", "..", "/etc/evil", "//host/evil", "C:/evil", "p/C:evil",
            "p\\..\\evil", "..\\evil", "p/./evil", "p//evil", "p/ev\0il", "\0", "\0p/x", "p/ev\nil", "p/\u202egnp.evil",
            "p/evil.", "p/evil /x", "p/" + "e" * 256, "\\\\host\\evil", "p/evil:stream",
        ],
    )  # fmt: skip
    def test_names(self, tmp_path, name):
        self.check_rejected(zipped(tmp_path / "x.zip", {"p/metadata.json": b"{}", name: b"evil"}))

    @pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
    def test_links_and_devices(self, tmp_path, kind):
        path = zipped(
            tmp_path / "x.zip", {"p/x": b"/etc/passwd"}, external_attr=(kind | 0o777) << 16
        )
        self.check_rejected(path, "is a link or a device")

    def test_a_name_twice(self, tmp_path):
        path = tmp_path / "x.zip"
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("p/x", b"one")
            with pytest.warns(UserWarning, match="Duplicate"):
                archive.writestr("p/x", b"two")
        self.check_rejected(path, "'p/x' twice")

    @pytest.mark.parametrize("other", ["p/X", "p/x/y", "P/x", "p/\u212a"])
    def test_names_that_are_one(self, tmp_path, other):
        self.check_rejected(zipped(tmp_path / "x.zip", {"p/x": b"", "p/k": b"", other: b""}))

    def test_a_file_that_is_a_folder_too(self, tmp_path):
        self.check_rejected(zipped(tmp_path / "x.zip", {"p/x/": b"", "p/x": b""}), "twice")

    def test_no_single_folder(self, tmp_path):
        for members in ({"a/x": b"", "b/x": b""}, {"x": b""}, {"a/x": b"", "y": b""}, {}):
            self.check_rejected(zipped(tmp_path / "x.zip", members), "everything in one folder")

    def test_a_bomb(self, tmp_path):
        self.check_rejected(
            zipped(tmp_path / "x.zip", {"p/zeros": bytes(50 << 20)}), "over 100 times"
        )

    def test_a_huge_declared_size(self, tmp_path):
        path = zipped(tmp_path / "x.zip", {"p/x": os.urandom(100)})
        data = path.read_bytes()
        at = data.rindex(b"PK\x01\x02") + 24  # the size, in the central directory
        path.write_bytes(data[:at] + struct.pack("<I", 0xFFFFFFF0) + data[at + 4 :])
        self.check_rejected(path, "would unpack to")

    def test_a_size_that_lies(self, tmp_path):
        """A file is read no further than its declared size."""
        path = zipped(tmp_path / "x.zip", {"p/x": bytes(9_000)})
        data = path.read_bytes()
        at = data.rindex(b"PK\x01\x02") + 24
        path.write_bytes(data[:at] + struct.pack("<I", 10) + data[at + 4 :])
        with open_archive(path) as archive, pytest.raises(ModelError, match="damaged"):
            assert sum(map(len, archive.read_chunks("x"))) <= 10

    def test_overlapping_files(self, tmp_path):
        """Many entries that share the same bytes, together as large as a bomb."""
        path = zipped(tmp_path / "x.zip", {f"p/{n:04d}": bytes(9_000) for n in range(300)})
        data = path.read_bytes()
        begin, end = data.index(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
        first = data.index(b"PK\x03\x04", 4)
        tail = bytearray(data[end:])
        tail[16:20] = struct.pack("<I", first)
        path.write_bytes(data[:first] + data[begin:end] + tail)
        self.check_rejected(path, "over 100 times")

    def test_too_many(self, tmp_path):
        path = zipped(tmp_path / "x.zip", {f"p/{n}": b"" for n in range(MAX_MEMBERS + 1)})
        self.check_rejected(path, "10,001 files")

    def test_encrypted(self, tmp_path):
        path = zipped(tmp_path / "x.zip", {"p/x": b"text"})
        data = bytearray(path.read_bytes())
        data[data.rindex(b"PK\x01\x02") + 8] |= 1
        path.write_bytes(data)
        self.check_rejected(path, "is encrypted")

    @pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_other_compression_methods(self, tmp_path, method):
        path = tmp_path / "x.zip"
        with zipfile.ZipFile(path, "w", method) as archive:
            archive.writestr("p/x", b"text")
        self.check_rejected(path, "neither stored nor deflated")

    @pytest.mark.parametrize("top", [".hidden", "-rf", "a b", "عربي"])
    def test_names_of_packages(self, tmp_path, packages_dir, tiny_package, top):
        path = tmp_path / "x.zip"
        with zipfile.ZipFile(tiny_package) as old:
            members = {name.replace(TOP, top): old.read(name) for name in old.namelist()}
        with pytest.raises(ModelError, match="its folder is named"):
            packages.install(zipped(path, members))
        assert not packages_dir.exists()

    def test_a_record_in_the_zip_is_not_believed(self, tmp_path, tiny_package):
        forged = json.dumps({"sha256": "0" * 64, "archive": {"sha256": "0" * 64}}).encode()
        with zipfile.ZipFile(tiny_package) as old:
            members = {name: old.read(name) for name in old.namelist()}
        path = zipped(tmp_path / "x.zip", {**members, f"{TOP}/ingest.json": forged})
        package = packages.install(path)
        assert package.sha256 == package.compute_sha256() != "0" * 64
        assert (
            package.compute_sha256()
            == packages.install(tiny_package, overwrite=True).compute_sha256()
        )

    def check_rejected(self, path: Path, message: str = "nothing was unpacked") -> None:
        with pytest.raises(ModelError, match=message), open_archive(path):
            pytest.fail("the archive was opened")
        with pytest.raises(ModelError, match=message):
            packages.install(path)
        assert below(path.parent) == [path.name]


NAMES = (
    st.text(st.sampled_from("ab./\\:~ \0\u202e"), min_size=1, max_size=12)
    | st.text(min_size=1, max_size=9)
    | st.from_regex(r"p(/[abc]{1,2}){1,3}", fullmatch=True)
)


@given(names=st.lists(NAMES, max_size=6), links=st.sampled_from([0, 0, 0, 1, 2, 32]))
def test_no_member_is_written_outside(tmp_path_factory, names, links):
    folder = tmp_path_factory.mktemp("any")
    into = folder / "a/b/c/d/e/into"  # deeper than any name can lead up
    into.mkdir(parents=True)
    path = folder / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.NameToInfo = NoDuplicateCheck()
        for number, name in enumerate(["p/metadata.json", *names]):
            info = zipfile.ZipInfo("x")
            info.filename = info.orig_filename = name.encode("utf-8", "replace").decode()
            info.external_attr = (stat.S_IFLNK << 16) if links >> number & 1 else 0
            archive.writestr(info, b"../../outside")
    before = below(folder)
    try:
        with open_archive(path) as archive:
            archive.unpack(into)
            inside = set(archive.files)
    except ModelError:
        inside = set()
    new = [p for p in folder.rglob("*") if p.relative_to(folder).as_posix() not in before]
    assert {p.relative_to(into).as_posix() for p in new if not p.is_dir()} == inside
    assert not any(p.is_symlink() for p in new)
    shutil.rmtree(folder)


class NoDuplicateCheck(dict):
    """Lets a zip be written with a name twice, without a warning."""

    def __contains__(self, _: object) -> bool:
        return False


@given(st.data())
def test_damaged_zips_end_in_an_error_or_whole(tiny_package, tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("damaged")
    changed = bytearray(tiny_package.read_bytes())
    # the central directory is at the end
    at = st.integers(1, 900) | st.integers(1, len(changed))
    for back, byte in data.draw(
        st.lists(st.tuples(at, st.integers(0, 255)), min_size=1, max_size=8)
    ):
        changed[-back] = byte
    path = folder / "x.zip"
    path.write_bytes(changed)
    (folder / "into").mkdir()
    with suppress(ModelError), open_archive(path) as archive:
        archive.unpack(folder / "into")
    assert sorted(p.name for p in folder.iterdir()) == ["into", "x.zip"]
    shutil.rmtree(folder)


@given(st.text())
def test_names_without_a_fault_stay_inside(name):
    info = zipfile.ZipInfo("x")
    info.filename = info.orig_filename = name
    if not find_fault(info):
        joined = os.path.normpath(os.path.join("/into", name))
        assert joined.startswith("/into/")


class TestScan:
    def test_an_empty_home_stays_empty(self, packages_dir, tmp_path):
        assert packages.scan() == ([], [])
        assert below(tmp_path) == []

    def test_origins(self, packages_dir, tmp_path, tiny_package, shipped):
        bare(packages_dir, "ar", "en")
        bare(tmp_path / "argos", "ar", "fr")
        shutil.copy(tiny_package, shipped)
        assert [(p.name, p.origin) for p in packages.installed()] == [
            ("translate-ar_en-1_0", "ours"),
            ("translate-ar_fr-1_0", "argostranslate"),
            (TOP, "shipped"),
        ]
        assert not (tmp_path / "home").exists()

    def test_one_folder_for_both(self, packages_dir, monkeypatch):
        monkeypatch.setenv("ARGOS_PACKAGES_DIR", str(packages_dir))
        bare(packages_dir, "ar", "en")
        assert [p.origin for p in packages.installed()] == ["ours"]

    def test_the_default_folders(self, monkeypatch, tmp_path):
        monkeypatch.delenv("INGEST_MODELS_DIR")
        monkeypatch.delenv("ARGOS_PACKAGES_DIR")
        assert packages.packages_dir() == tmp_path / "home/.local/share/ingest/models"
        bare(tmp_path / "home/.local/share/argos-translate/packages", "ar", "en")
        assert [p.origin for p in packages.installed()] == ["argostranslate"]
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
        assert packages.packages_dir() == tmp_path / "data/ingest/models"
        assert packages.installed() == []

    def test_the_folder_in_the_settings_of_argostranslate(self, monkeypatch, tmp_path):
        bare(tmp_path / "theirs", "ar", "en")
        settings = tmp_path / "home/.config/argos-translate/settings.json"
        settings.parent.mkdir(parents=True)
        settings.write_text(json.dumps({"ARGOS_PACKAGES_DIR": str(tmp_path / "theirs")}))
        assert packages.installed() == []  # the environment variable comes first
        monkeypatch.delenv("ARGOS_PACKAGES_DIR")
        assert [p.origin for p in packages.installed()] == ["argostranslate"]
        for damaged in ("[", "[]", '{"ARGOS_PACKAGES_DIR": 1}', "[" * 100_000):
            settings.write_text(damaged)
            assert packages.installed() == []

    def test_invalid_entries(self, packages_dir, tmp_path):
        bare(packages_dir, "ar", "en")
        (packages_dir / "empty").mkdir()
        (packages_dir / "a-file.txt").write_text("x")
        (packages_dir / ".hidden").mkdir()
        (packages_dir / "loop").symlink_to(packages_dir / "loop")
        for code, name in (("de", "metadata.json"), ("es", "model/model.bin"),
                           ("it", "sentencepiece.model")):  # fmt: skip
            (bare(packages_dir, code, "en") / name).unlink()
        (bare(tmp_path / "argos", "fr", "en") / "metadata.json").write_text("[")
        valid, invalid = packages.scan()
        assert [p.name for p in valid] == ["translate-ar_en-1_0"]
        assert {s.path.name: s.origin for s in invalid}["translate-fr_en-1_0"] == "argostranslate"
        whys = " ".join(s.reason for s in invalid)
        for why in ("is not a folder", "metadata.json is missing", "model/model.bin is missing",
                    "its tokenizer, sentencepiece.model or bpe.model, is missing", "is not JSON"):  # fmt: skip
            assert why in whys
        assert ".hidden" not in {s.path.name for s in invalid}

    @pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
    def test_what_cannot_be_read(self, packages_dir):
        (bare(packages_dir, "ar", "en") / "model/model.bin").chmod(0)
        assert "cannot be read" in packages.scan()[1][0].reason

    def test_without_the_extra(self, tiny_package, packages_dir, monkeypatch):
        packages.install(tiny_package)
        no_extra(monkeypatch)
        assert [p.name for p in packages.installed()] == [TOP]
        assert command("list") == command("info", TOP) == command("remove", TOP) == 0
        assert packages.installed() == []

    @pytest.mark.parametrize(
        ("files", "metadata", "license"),
        [
            ({}, {}, ""),
            ({"LICENSE": "MIT", "README.md": "r"}, {"license": "m"}, "MIT"),
            ({"Licence.txt": "one", "COPYING": "two"}, {}, "two\n\none"),
            ({"README.md": "r"}, {"licence": "CC0"}, "CC0"),
            ({"README.md": "r"}, {}, "r"),
            ({"LICENSE": ""}, {"licence": "CC BY"}, "CC BY"),
            ({"licensed-data.txt": "x"}, {}, ""),
        ],
    )
    def test_licenses(self, packages_dir, files, metadata, license):
        path = bare(packages_dir, "ar", "en", **metadata)
        for name, text in files.items():
            (path / name).write_text(text)
        assert packages.load(path).license == license


class TestFind:
    def test_none(self):
        with pytest.raises(ModelError) as caught:
            packages.find("fr", "ar")
        assert str(caught.value) == (
            "no package translates fr to ar; install one: ingest models install fr ar"
        )

    def test_direct(self, packages_dir):
        for pair in ("ar en", "ar fr", "fr en"):
            bare(packages_dir, *pair.split())
        assert [p.name for p in packages.find("ar", "en")] == ["translate-ar_en-1_0"]

    def test_source_and_target_must_differ(self, packages_dir):
        for pair in ("en ar", "ar en"):
            bare(packages_dir, *pair.split())
        with pytest.raises(ConfigError, match="source and target are both en"):
            packages.find("en", "en")

    def test_codes_of_language_detection(self, packages_dir):
        for pair in ("nb en", "en nb", "zt en"):
            bare(packages_dir, *pair.split())
        assert packages.find("no", "en")[0].from_lang == "nb"
        assert packages.find("zh", "nb")[0].from_lang == "zt"
        bare(packages_dir, "zh", "en")
        assert packages.find("zh", "en")[0].from_lang == "zh"
        with pytest.raises(ModelError, match="ingest models install pt en"):
            packages.find("pt", "en")

    def test_through_a_third(self, packages_dir):
        for pair in ("fr de", "de ar", "fr es", "es ar"):
            bare(packages_dir, *pair.split())
        assert [p.to_lang for p in packages.find("fr", "ar")] == ["de", "ar"]
        for pair in ("fr en", "en ar"):
            bare(packages_dir, *pair.split())
        assert [p.to_lang for p in packages.find("fr", "ar")] == ["en", "ar"]
        with pytest.raises(ModelError, match="ingest models install ar fr"):
            packages.find("ar", "fr")

    def test_not_through_two_others(self, packages_dir):
        for pair in ("fr de", "de en", "en ar"):
            bare(packages_dir, *pair.split())
        with pytest.raises(ModelError):
            packages.find("fr", "ar")

    def test_which_of_several(self, packages_dir, tmp_path):
        bare(tmp_path / "argos", "ar", "en", "9.0")
        assert packages.find("ar", "en")[0].origin == "argostranslate"
        bare(packages_dir, "ar", "en", "1.9")
        bare(packages_dir, "ar", "en", "1.10")
        package = packages.find("ar", "en")[0]
        assert (package.origin, package.version) == ("ours", "1.10")

    def test_a_shipped_one_is_unpacked_when_first_used(self, tiny_package, shipped, tmp_path):
        shutil.copy(tiny_package, shipped)
        before = packages.installed()[0]
        assert before.path.suffix == ".argosmodel"
        assert before.license.startswith("This package was made for a test.")
        package = packages.find("en", "ar")[0]
        assert package.path.is_dir()
        assert package.path.is_relative_to(tmp_path / "home/.cache/ingest/models")
        assert (package.name, package.origin) == (TOP, "shipped")
        assert package.sha256 == package.compute_sha256() == before.sha256
        assert packages.installed() == [package] == packages.find("en", "ar")
        (package.path / "metadata.json").unlink()  # caches may be cleaned
        assert packages.find("en", "ar") == [package]

    def test_an_unpacked_one_that_was_cut_is_unpacked_again(self, tiny_package, shipped):
        shutil.copy(tiny_package, shipped)
        package = packages.find("en", "ar")[0]
        model = package.path / "model/model.bin"
        whole = model.read_bytes()
        model.write_bytes(whole[:100])
        assert packages.find("en", "ar") == [package]
        assert model.read_bytes() == whole

    def test_a_cache_folder_that_cannot_be_created(
        self, tiny_package, shipped, tmp_path, monkeypatch
    ):
        shutil.copy(tiny_package, shipped)
        (tmp_path / "file").write_bytes(b"")
        monkeypatch.setenv("INGEST_CACHE_DIR", str(tmp_path / "file" / "cache"))
        with pytest.raises(WriteError, match=r"another folder with \$INGEST_CACHE_DIR"):
            packages.find("en", "ar")

    def test_a_new_release_ships_another(self, tiny, shipped, tmp_path):
        first = shutil.copy(tiny.make(tmp_path / "a"), shipped)
        old = packages.find("en", "ar")[0]
        Path(first).unlink()
        shutil.copy(tiny.make(tmp_path / "b", seed=1), shipped)
        assert packages.find("en", "ar")[0].sha256 != old.sha256

    def test_a_broken_shipped_one(self, tiny, shipped, tmp_path):
        archive = tiny.make(tmp_path / "x", damage={"model/model.bin": lambda data: data[:-5]})
        shutil.copy(archive, shipped)
        with pytest.raises(ModelError, match="truncated"):
            packages.find("en", "ar")
        assert not (tmp_path / "home").exists()


class TestRemove:
    def test_a_package(self, tiny_package, packages_dir):
        packages.install(tiny_package)
        assert packages.remove(TOP) == packages_dir / TOP
        assert below(packages_dir) == []

    def test_a_broken_one(self, packages_dir):
        (bare(packages_dir, "ar", "en") / "metadata.json").unlink()
        packages.remove("translate-ar_en-1_0")
        assert below(packages_dir) == []

    def test_a_link_goes_and_what_it_leads_to_stays(self, packages_dir, tmp_path):
        path = bare(tmp_path / "elsewhere", "ar", "en")
        packages_dir.mkdir()
        (packages_dir / "linked").symlink_to(path)
        packages.remove("linked")
        assert below(packages_dir) == []
        assert (path / "metadata.json").exists()

    @pytest.mark.parametrize(
        "name", ["", ".", "..", "/", "../models", "none", "translate-ar_en-1_0/model"]
    )
    def test_no_such_package(self, packages_dir, name):
        bare(packages_dir, "ar", "en")
        with pytest.raises(
            ModelError, match="no package has this name; to list them: ingest models list"
        ):
            packages.remove(name)
        assert len(packages.installed()) == 1

    def test_not_ours(self, tmp_path, shipped, tiny_package):
        path = bare(tmp_path / "argos", "ar", "en")
        shutil.copy(tiny_package, shipped)
        with pytest.raises(ModelError, match="belongs to argostranslate and cannot be removed"):
            packages.remove(path.name)
        with pytest.raises(ModelError, match="ships with ingest and cannot be removed"):
            packages.remove(TOP)
        assert len(packages.installed()) == 2

    def test_no_package(self, packages_dir):
        (packages_dir / "thesis").mkdir(parents=True)
        with pytest.raises(ModelError, match="by hand"):
            packages.remove("thesis")
        assert below(packages_dir) == ["thesis"]


class TestCommand:
    def test_install_list_info_remove(self, tiny_package, packages_dir, capsys):
        assert command("install", str(tiny_package)) == 0
        output = capsys.readouterr().out
        assert f"installed {TOP}: en to ar" in output
        assert "license, as the package has it:\n  This package was made for a test." in output
        assert command("install", str(tiny_package)) == 0
        assert f"{TOP} is already installed" in capsys.readouterr().out
        assert command("list") == 0
        output = capsys.readouterr().out.split("\n")
        assert output[0].split() == ["name", "from", "to", "version", "size", "by"]
        assert output[1].split() == [TOP, "en", "ar", "1.0", "0.3", "MB", "ingest"]
        assert command("info", TOP) == 0
        output = capsys.readouterr().out
        for part in (
            "en to ar",
            packages.find_by_name(TOP).sha256,
            tiny_package.name,
            "made for a test",
        ):
            assert part in output
        assert command("remove", TOP) == 0
        assert capsys.readouterr().out == f"removed {packages_dir / TOP}\n"
        assert command("list") == 0
        assert "ingest models install ar en" in capsys.readouterr().out

    def test_json(self, tiny_package, packages_dir, capsys):
        package = packages.install(tiny_package)
        (packages_dir / "stray").mkdir()
        command("list", "--json")
        one, stray = map(json.loads, capsys.readouterr().out.splitlines())
        assert (one["name"], one["from"], one["to"], one["error"]) == (TOP, "en", "ar", None)
        assert (one["sha256"], one["source"]) == (package.sha256, tiny_package.name)
        assert (stray["name"], stray["error"]) == ("stray", "metadata.json is missing")
        command("info", TOP, "--json")
        [info] = map(json.loads, capsys.readouterr().out.splitlines())
        assert info["intact"] is True
        assert info["files"]["model/model.bin"] > 10_000
        assert info["license"] == package.license

    def test_invalid_packages_are_shown(self, packages_dir, capsys):
        (packages_dir / "str\x1bay").mkdir(parents=True)
        assert command("list") == 0
        output = capsys.readouterr().out
        assert "str␛ay: metadata.json is missing" in output.replace("\n", "")

    def test_text_that_cannot_be_encoded(self, packages_dir, capsysbinary):
        path = bare(packages_dir, "ar", "en", license="\ud800 all rights")
        os.mkdir(os.fsencode(packages_dir) + b"/\xff")
        for argv in (
            ["list"],
            ["list", "--json"],
            ["info", path.name],
            ["info", path.name, "--json"],
        ):
            assert command(*argv) == 0
            assert "\ufffd".encode() in capsysbinary.readouterr().out

    def test_info_reports_changed_files(self, tiny_package, packages_dir, capsys):
        packages.install(tiny_package)
        (packages_dir / TOP / "README.md").write_text("other")
        command("info", TOP)
        assert "changed since the install" in capsys.readouterr().out

    def test_info_of_a_broken_one(self, packages_dir):
        (bare(packages_dir, "ar", "en") / "metadata.json").unlink()
        with pytest.raises(ModelError, match=r"metadata.json is missing"):
            command("info", "translate-ar_en-1_0")
        with pytest.raises(ModelError, match="no package has this name"):
            command("info", "other")

    def test_a_missing_license_is_reported(self, packages_dir, tmp_path, tiny, capsys):
        command("install", str(tiny.make(tmp_path, without=("LICENSE", "README.md"))))
        assert "no license" in capsys.readouterr().out

    def test_a_long_license_is_shortened_at_install(self, tmp_path, tiny, capsys):
        archive = tiny.make(tmp_path, damage={"LICENSE": lambda _: b"a line\n" * 100})
        command("install", str(archive))
        assert f"… 70 more lines: ingest models info {TOP}" in capsys.readouterr().out
        command("info", TOP)
        assert capsys.readouterr().out.count("a line") == 100

    @pytest.mark.parametrize("what", [["x.argosmodel"], ["a", "b", "c"]])
    def test_invalid_usage(self, what):
        with pytest.raises(ConfigError, match="or two codes, such as ar en"):
            command("install", *what)


@pytest.mark.parametrize("prefix", ["", ">>ar<<"])
def test_argostranslate_accepts_what_is_installed(packages_dir, tmp_path, tiny, prefix):
    pytest.importorskip("argostranslate", reason="the extra 'argostranslate' is not installed")
    package = packages.install(tiny.make(tmp_path / "made", target_prefix=prefix))
    code = (
        "import sys, json; from pathlib import Path; import argostranslate.package as p\n"
        "one = p.Package(Path(sys.argv[1]))\n"
        "installed = p.get_installed_packages()\n"
        "print(json.dumps([one.from_code, one.to_code, one.package_version, one.target_prefix,"
        " one.tokenizer.encode('The new school'), [str(f.package_path) for f in installed]]))"
    )
    home = tmp_path / "argos-home"
    home.mkdir()
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(package.path)],
        env={**os.environ, "HOME": str(home), "ARGOS_PACKAGES_DIR": str(packages_dir)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    *about, pieces, paths = json.loads(done.stdout)
    assert about == ["en", "ar", "1.0", prefix]
    assert "".join(pieces) == "▁The▁new▁school"
    assert paths == [str(package.path)]
