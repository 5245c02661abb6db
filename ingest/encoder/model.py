"""Sentence vectors: a translation is close to its source, and the vector of a span is a sum."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import polars as pl

from ingest.encoder.subwords import SubwordTable
from ingest.encoder.tokens import Lines, Tokens, strings, tokens
from ingest.errors import MissingExtraError, ModelError
from ingest.resources import load_npz, model_dir
from ingest.text import scrub

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

FILE = "encoder.npz"
_ARRAYS = ("settings", "names", "seen", "levels", "sizes", "codes")
_CHUNK = 16384  # sentences encoded together: enough to share words, in 100 MB at most
_BLOCK = 128  # sentences summed together, so that their sums stay in the processor's cache
_DECODED = 256  # rows decoded together
_MAX_CACHED = 1 << 16  # out-of-vocabulary words whose vectors are cached


class SentenceEncoder(Protocol):
    """The interface of an encoder, static or neural."""

    @property
    def name(self) -> str:
        """Name to record with results, with a hash if there is one."""
        ...

    @property
    def dim(self) -> int:
        """Dimensions of a vector."""
        ...

    def encode(self, texts: Iterable[str], *, normalize: bool = True) -> Vectors:
        """Encode texts as rows: float32 [texts, dim], of length 1 if `normalize` is set."""
        ...


def load(name_or_path: str | Path | None = None) -> SentenceEncoder:
    """Load the shipped encoder, or the one in a folder.

    The folder may contain an encoder like the shipped one, or a sentence-transformers model.
    Nothing is downloaded.

    Raises:
        ModelError: the folder does not exist, or contains no model.
        MissingExtraError: sentence-transformers is not installed.

    >>> load().encode([]).shape == (0, load().dim)
    True
    """
    if name_or_path is not None and (Path(name_or_path) / "modules.json").is_file():
        return Transformer(name_or_path)
    return Encoder.load(name_or_path)


class Encoder:
    """The static encoder: a table of vectors of words and subwords, summed over the sentence.

    >>> encoder = Encoder.load()
    >>> source, target, other = encoder.encode(["Where is the school?", "أين المدرسة؟", "انا جائع"])
    >>> bool(source @ target > source @ other)
    True
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise ModelError(f"{path}: is missing; reinstall ingest, or rebuild it with its recipe")
        arrays = load_npz(path, _ARRAYS)
        try:
            self._fill(arrays)
        except (KeyError, ValueError) as error:
            raise ModelError(f"{path}: is damaged ({error}); rebuild or reinstall it") from error
        with path.open("rb") as file:
            self.sha = hashlib.file_digest(file, "sha256").hexdigest()
        self.name = f"{path.parent.name}-{self.sha[:12]}"

    @staticmethod
    def load(name_or_path: str | Path | None = None) -> Encoder:
        """Load the shipped encoder, or the one in a folder. It is read once per process.

        Raises:
            ModelError: the encoder is missing or damaged.
        """
        path = model_dir("encoder") if name_or_path is None else Path(name_or_path)
        if name_or_path is not None and not path.exists():
            raise ModelError(f"{path}: no such folder; give one that contains {FILE}")
        return _load(path / FILE if path.is_dir() else path)

    @property
    def dim(self) -> int:
        """Dimensions of a vector."""
        return self._dim

    def encode(self, texts: Iterable[str], *, normalize: bool = True) -> Vectors:
        """Encode texts as unit vectors: float32 [texts, dim].

        The vector of a text does not depend on the other texts. A text without words is a row of
        zeros. With `normalize=False` this is `encode_sums`.
        """
        sums = self.encode_sums(texts)
        if normalize:
            length = np.sqrt(np.einsum("ij,ij->i", sums, sums))
            sums /= np.maximum(length, 1e-9)[:, None]
        return sums

    def encode_sums(self, texts: Iterable[str]) -> Vectors:
        """Encode texts as additive vectors: float32 [texts, dim].

        The row of "a b" is the row of "a" plus that of "b", so the vector of any run of sentences
        is the difference of two cumulative sums.
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
        self._vocabulary = {name[2:]: i for name, i in row.items() if name.startswith("w:")}
        self._subwords = SubwordTable(row, counts)
        # Rows of the file, decoded in order of first use, then vectors of composed words. Memory is
        # only committed when a row is written.
        self._vectors = np.empty((len(self._names) + _MAX_CACHED, self._dim), dtype=np.float32)
        # index in `_vectors` of each row of the file
        self._index = np.full(len(self._names), -1, dtype=np.int64)
        self._decoded = 0
        self._composed: dict[str, int] = {}  # index in `_vectors` of each composed word
        # Four codes are decoded at once: four float32 numbers are moved as one complex128.
        if len(self._levels) not in (2, 4, 8, 16):
            raise ValueError(f"it has {len(self._levels)} levels instead of 2, 4, 8 or 16")
        bits = len(self._levels).bit_length() - 1
        codes = np.arange(len(self._levels) ** 4)[:, None] >> (bits * np.arange(4))
        self._fours = self._levels[codes & (len(self._levels) - 1)].view(np.complex128)[:, 0]

    def _index_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Indices in `_vectors` of these rows of the file, which are decoded if necessary."""
        index = self._index[rows]
        if (index < 0).any():
            new = np.unique(rows[index < 0])
            for at in range(0, len(new), _DECODED):
                self._decode(new[at : at + _DECODED])
            index = self._index[rows]
        return index

    def _decode(self, rows: NDArray[np.int64]) -> None:
        """Decode rows, eight numbers at a time; each is stored in a few bits."""
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
        self._index[rows] = np.arange(to.start, to.stop)
        self._decoded = to.stop

    def _compose(self, out_of_vocabulary: list[str]) -> list[int]:
        """Indices in `_vectors` of words without a row: each vector is the sum of its subwords.

        There must be at most `_MAX_CACHED` words.
        """
        new = [word for word in out_of_vocabulary if word not in self._composed]
        if len(self._composed) + len(new) > _MAX_CACHED:
            self._composed.clear()
            new = out_of_vocabulary
        rows, shares, lengths = self._subwords.rows_of(new)
        first = len(self._names) + len(self._composed)
        out = self._vectors[first : first + len(new)]
        _sum_rows(self._vectors, self._index_of(rows), lengths, out, shares)
        self._composed.update(zip(new, range(first, first + len(new)), strict=True))
        return [self._composed[word] for word in out_of_vocabulary]

    def _sum(self, words: Tokens, out: Vectors) -> None:
        """Sum the vectors of the words of each text into the rows of `out`."""
        distinct = words.distinct.to_list()
        row = np.array([self._vocabulary.get(word, -1) for word in distinct], dtype=np.int64)
        known = row >= 0
        if len(row) - np.count_nonzero(known) > _MAX_CACHED:
            self._sum_halves(words, out)
            return
        index = np.empty_like(row)
        index[known] = self._index_of(row[known])
        if not known.all():
            index[~known] = self._compose([distinct[at] for at in np.flatnonzero(~known)])
        _sum_rows(self._vectors, index[words.code], words.lengths, out)

    def _sum_halves(self, words: Tokens, out: Vectors) -> None:
        """Split texts with too many unknown words, down to parts of one text."""
        texts = len(words.lengths)
        if texts > 1:
            for start, stop in ((0, texts // 2), (texts // 2, texts)):
                self._sum(words.part(start, stop), out[start:stop])
            return
        middle = len(words.code) // 2
        for code in (words.code[:middle], words.code[middle:]):
            half = np.zeros_like(out)
            self._sum(Tokens(words.distinct, code, np.array([len(code)])).part(0, 1), half)
            out += half


class Transformer:
    """A sentence-transformers model in a local folder, such as LaBSE.

    Its vectors are not additive: a run of sentences must be encoded as one text.

    Raises:
        MissingExtraError: sentence-transformers is not installed.
        ModelError: the folder does not exist.
    """

    def __init__(self, folder: str | Path) -> None:
        path = Path(folder)
        if not path.is_dir():
            raise ModelError(f"{path}: is not a directory; download the model first")
        try:
            neural = import_module("sentence_transformers")
        except ImportError as error:
            raise MissingExtraError("labse", "sentence-transformers") from error
        self._model = neural.SentenceTransformer(str(path), device="cpu", local_files_only=True)
        self.name = path.resolve().name

    @property
    def dim(self) -> int:
        """Dimensions of a vector."""
        return int(self._model.get_sentence_embedding_dimension())

    def encode(self, texts: Iterable[str], *, normalize: bool = True) -> Vectors:
        """Encode texts as rows: float32 [texts, dim]."""
        rows = [scrub(text) for text in texts]
        if not rows:
            return np.zeros((0, self.dim), dtype=np.float32)
        vectors = self._model.encode(
            rows, normalize_embeddings=normalize, convert_to_numpy=True, show_progress_bar=False
        )
        return np.asarray(vectors, dtype=np.float32)


def _sum_rows(
    table: Vectors,
    ids: NDArray[np.int64],
    lengths: NDArray[np.int64],
    out: Vectors,
    shares: Vectors | None = None,
) -> None:
    """Set out[i] to the sum of the table's rows of text i, always in the order of its words.

    `shares`, as long as `ids`, weights the rows; None means 1.
    """
    starts = np.concatenate([[0], lengths.cumsum()])[:-1]
    order = np.argsort(-lengths, kind="stable")
    buffers = np.empty((2, min(_BLOCK, len(order)), out.shape[1]), dtype=np.float32)
    for at in range(0, len(order), _BLOCK):
        block = order[at : at + _BLOCK]
        sums, buffer = buffers[:, : len(block)]
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
