"""Sentence vectors in which a translation lies near its source; the vector of a span is a sum."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from zipfile import BadZipFile

import numpy as np
import polars as pl

from ingest.encoder.subwords import Parts
from ingest.encoder.tokens import Lines, Tokens, strings, tokens
from ingest.errors import MissingExtraError, ModelError
from ingest.resources import model_dir
from ingest.text import scrub

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

FILE = "encoder.npz"
_CHUNK = 16384  # sentences looked at together: enough to share words, 100 MB at most
_BLOCK = 128  # sentences summed together: their sums stay in the processor's cache
_DECODED = 256  # rows decoded together
_REMEMBERED = 1 << 16  # unknown words whose vectors are kept


class SentenceEncoder(Protocol):
    """What alignment and mining ask of an encoder, static or neural."""

    @property
    def name(self) -> str:
        """What to record beside results: a name and, where there is one, a hash."""
        ...

    @property
    def dim(self) -> int:
        """Numbers in a vector."""
        ...

    def encode(self, texts: Iterable[str], *, normalize: bool = True) -> Vectors:
        """float32 (texts, dim), one row a text; unit rows where normalised."""
        ...


def load(name_or_path: str | Path | None = None) -> SentenceEncoder:
    """The shipped encoder, one like it in a folder, or a sentence-transformers model in a folder.

    Nothing is downloaded.

    Raises:
        ModelError: there is no such folder, or no model in it.
        MissingExtraError: sentence-transformers is not installed.

    >>> load().encode([]).shape == (0, load().dim)
    True
    """
    if name_or_path is not None and (Path(name_or_path) / "modules.json").is_file():
        return Transformer(name_or_path)
    return Encoder.load(name_or_path)


class Encoder:
    """The static encoder: a row of numbers a word or a part of one, summed over the sentence.

    >>> encoder = Encoder.load()
    >>> one, two, other = encoder.encode(["Where is the school?", "أين المدرسة؟", "انا جائع"])
    >>> bool(one @ two > one @ other)
    True
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise ModelError(f"{path} is missing: reinstall ingest, or rebuild it with its recipe")
        raw = path.read_bytes()
        try:
            self._fill(_arrays(path, raw))
        except (KeyError, ValueError, UnicodeDecodeError) as error:
            raise ModelError(f"{path} is damaged: {error}; rebuild or reinstall it") from error
        self.sha = hashlib.sha256(raw).hexdigest()
        self.name = f"{path.parent.name}-{self.sha[:12]}"

    @staticmethod
    def load(name_or_path: str | Path | None = None) -> Encoder:
        """The shipped encoder, or the one in that folder; read once a process.

        Raises:
            ModelError: it is missing or damaged.
        """
        path = model_dir("encoder") if name_or_path is None else Path(name_or_path)
        if name_or_path is not None and not path.exists():
            raise ModelError(f"{path}: no such folder; name one that holds {FILE}")
        return _load(path / FILE if path.is_dir() else path)

    @property
    def dim(self) -> int:
        """Numbers in a vector."""
        return self._dim

    def encode(self, texts: Iterable[str], *, normalize: bool = True) -> Vectors:
        """float32 (texts, dim), the same for a text whatever stands beside it.

        A text without a word of its own is a row of zeros. With `normalize` off this is
        `encode_sums`.
        """
        sums = self.encode_sums(texts)
        if normalize:
            length = np.sqrt(np.einsum("ij,ij->i", sums, sums))
            sums /= np.maximum(length, 1e-9)[:, None]
        return sums

    def encode_sums(self, texts: Iterable[str]) -> Vectors:
        """float32 (texts, dim), additive: the row of "a b" is the row of "a" plus that of "b".

        So the vector of any run of sentences is a difference of two cumulative sums.
        """
        if isinstance(texts, Lines):
            return self._encode_lines(texts)
        series = texts if isinstance(texts, pl.Series) else strings(texts)
        series = series.cast(pl.String).fill_null("")
        out = np.zeros((len(series), self._dim), dtype=np.float32)
        for at in range(0, len(series), _CHUNK):
            self._sum(tokens(series[at : at + _CHUNK]), out[at : at + _CHUNK])
        return out

    def _encode_lines(self, lines: Lines) -> Vectors:
        out = np.zeros((len(lines), self._dim), dtype=np.float32)
        for at in range(0, len(lines), _CHUNK):
            to = min(at + _CHUNK, len(lines))
            self._sum(lines.tokens.part(at, to), out[at:to])
        return out

    def _fill(self, content: Mapping[str, NDArray[Any]]) -> None:
        settings = json.loads(content["settings"].tobytes())
        self._dim = int(settings["dim"])
        self._names = content["names"].tobytes().decode().split("\n")
        self._codes = content["codes"]
        self._sizes = content["sizes"].astype(np.float32)
        self._levels = content["levels"].astype(np.float32)
        if not len(self._names) == len(self._codes) == len(self._sizes) == len(content["seen"]):
            raise ValueError("its arrays differ in length")
        counted = zip(self._names, content["seen"].tolist(), strict=True)
        counts = {name: n for name, n in counted if name.startswith(("w:", "s:"))}
        row = {name: i for i, name in enumerate(self._names)}
        self._known = {name[2:]: i for name, i in row.items() if name.startswith("w:")}
        self._parts = Parts(row, counts)
        # rows of the file as they are first met, then words composed; its pages cost nothing before
        self._vectors = np.empty((len(self._names) + _REMEMBERED, self._dim), dtype=np.float32)
        self._place = np.full(len(self._names), -1, dtype=np.int64)  # of a row of the file in it
        self._decoded = 0
        self._composed: dict[str, int] = {}  # word, place
        # four codes at a time are four numbers, moved as one
        if len(self._levels) not in (2, 4, 8, 16):
            raise ValueError(f"{len(self._levels)} levels instead of 2, 4, 8 or 16")
        bits = len(self._levels).bit_length() - 1
        codes = np.arange(len(self._levels) ** 4)[:, None] >> (bits * np.arange(4))
        self._fours = self._levels[codes & (len(self._levels) - 1)].view(np.complex128)[:, 0]

    def _places(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where these rows of the file stand, decoded, in the table of vectors."""
        places = self._place[rows]
        if (places < 0).any():
            fresh = np.unique(rows[places < 0])
            for at in range(0, len(fresh), _DECODED):
                self._decode(fresh[at : at + _DECODED])
            places = self._place[rows]
        return places

    def _decode(self, rows: NDArray[np.int64]) -> None:
        """Eight numbers are eight times a few bits."""
        bits = len(self._levels).bit_length() - 1
        packed = self._codes[rows].reshape(len(rows), -1, bits)
        eight = np.zeros(packed.shape[:2], dtype=np.int64)
        for byte in range(bits):
            eight |= packed[:, :, byte].astype(np.int64) << (8 * byte)
        halves = np.empty((*eight.shape, 2), dtype=np.int64)
        halves[:, :, 0] = eight & (len(self._fours) - 1)
        halves[:, :, 1] = eight >> (4 * bits)
        levels = self._fours.take(halves.reshape(len(rows), -1)).view(np.float32)
        to = slice(self._decoded, self._decoded + len(rows))
        np.multiply(levels, self._sizes[rows][:, None], out=self._vectors[to])
        self._place[rows] = np.arange(to.start, to.stop)
        self._decoded = to.stop

    def _compose(self, strange: list[str]) -> list[int]:
        """Where the vectors of words without a row of their own stand: each the sum of its parts.

        There are `_REMEMBERED` words or fewer.
        """
        new = [word for word in strange if word not in self._composed]
        if len(self._composed) + len(new) > _REMEMBERED:
            self._composed.clear()
            new = strange
        rows, shares, lengths = self._parts.of(new)
        first = len(self._names) + len(self._composed)
        out = self._vectors[first : first + len(new)]
        _add_up(self._vectors, self._places(rows), lengths, out, shares)
        self._composed.update(zip(new, range(first, first + len(new)), strict=True))
        return [self._composed[word] for word in strange]

    def _sum(self, found: Tokens, out: Vectors) -> None:
        """Adds up the words of each text into the rows of `out`."""
        distinct = found.distinct.to_list()
        row = np.array([self._known.get(word, -1) for word in distinct], dtype=np.int64)
        known = row >= 0
        if len(row) - np.count_nonzero(known) > _REMEMBERED:
            self._sum_halves(found, out)
            return
        place = np.empty_like(row)
        place[known] = self._places(row[known])
        if not known.all():
            place[~known] = self._compose([distinct[at] for at in np.flatnonzero(~known)])
        _add_up(self._vectors, place[found.code], found.lengths, out)

    def _sum_halves(self, found: Tokens, out: Vectors) -> None:
        many = len(found.lengths)
        if many > 1:
            for start, stop in ((0, many // 2), (many // 2, many)):
                self._sum(found.part(start, stop), out[start:stop])
            return
        middle = len(found.code) // 2
        for code in (found.code[:middle], found.code[middle:]):
            half = np.zeros_like(out)
            self._sum(Tokens(found.distinct, code, np.array([len(code)])).part(0, 1), half)
            out += half


class Transformer:
    """A sentence-transformers model, LaBSE for one, in a local folder.

    Its vectors are not additive: a run of sentences is encoded as one text.

    Raises:
        MissingExtraError: sentence-transformers is not installed.
        ModelError: the folder is not there.
    """

    def __init__(self, folder: str | Path) -> None:
        path = Path(folder)
        if not path.is_dir():
            raise ModelError(f"{path} is no folder: download the model first")
        try:
            neural = import_module("sentence_transformers")
        except ImportError as error:
            raise MissingExtraError("labse", "sentence-transformers") from error
        self._model = neural.SentenceTransformer(str(path), device="cpu", local_files_only=True)
        self.name = path.resolve().name

    @property
    def dim(self) -> int:
        """Numbers in a vector."""
        return int(self._model.get_sentence_embedding_dimension())

    def encode(self, texts: Iterable[str], *, normalize: bool = True) -> Vectors:
        """float32 (texts, dim)."""
        rows = [scrub(text) for text in texts]
        if not rows:
            return np.zeros((0, self.dim), dtype=np.float32)
        made = self._model.encode(
            rows, normalize_embeddings=normalize, convert_to_numpy=True, show_progress_bar=False
        )
        return np.asarray(made, dtype=np.float32)


def _add_up(
    table: Vectors,
    ids: NDArray[np.int64],
    lengths: NDArray[np.int64],
    out: Vectors,
    shares: Vectors | None = None,
) -> None:
    """out[i] = the sum of the table's rows of text i, always in the order of its words.

    `shares`, as long as `ids`, says what each counts for: 1 where it is not given.
    """
    starts = np.concatenate([[0], lengths.cumsum()])[:-1]
    order = np.argsort(-lengths, kind="stable")
    room = np.empty((2, min(_BLOCK, len(order)), out.shape[1]), dtype=np.float32)
    for at in range(0, len(order), _BLOCK):
        block = order[at : at + _BLOCK]
        sums, buffer = room[:, : len(block)]
        sums[:] = 0
        first, long = starts[block], lengths[block]
        longer = np.searchsorted(-long, -np.arange(long[0]))  # texts that reach each position
        for position, n in enumerate(longer.tolist()):
            here = first[:n] + position
            np.take(table, ids[here], axis=0, out=buffer[:n], mode="clip")
            if shares is not None:
                buffer[:n] *= shares[here][:, None]
            sums[:n] += buffer[:n]
        out[block] = sums


@lru_cache(8)
def _load(path: Path) -> Encoder:
    return Encoder(path)


def _arrays(path: Path, raw: bytes) -> dict[str, NDArray[Any]]:
    try:
        with np.load(BytesIO(raw), allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (BadZipFile, OSError, ValueError, EOFError) as error:
        raise ModelError(f"{path} is damaged: {error}; rebuild or reinstall it") from error
