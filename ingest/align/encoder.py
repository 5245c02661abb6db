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

from ingest.align.words import bucket, features, words
from ingest.errors import MissingExtraError, ModelError
from ingest.models import model_dir
from ingest.text import scrub

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

FILE = "encoder.npz"
SEVERAL = ("g:", "k3")  # a word has many of these: their sum is divided by the root of their number
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
        series = texts if isinstance(texts, pl.Series) else pl.Series(list(map(scrub, texts)))
        series = series.cast(pl.String).fill_null("")
        out = np.zeros((len(series), self._dim), dtype=np.float32)
        for at in range(0, len(series), _CHUNK):
            self._sum(words(series[at : at + _CHUNK]), out[at : at + _CHUNK])
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
        self._counts = {name: n for name, n in counted if name.startswith(("w:", "s:"))}
        known = [name for name in self._names if name.startswith("w:")]
        if self._names[: len(known)] != known:
            raise ValueError("words do not come first")
        self._known = pl.Enum([name[2:] for name in known])
        self._row = {name: i for i, name in enumerate(self._names)}
        # pages of this array cost nothing before a row of theirs is met
        self._vectors = np.zeros((len(self._names), self._dim), dtype=np.float32)
        self._ready = np.zeros(len(self._names), dtype=np.bool_)
        self._composed: dict[str, Vectors] = {}

    def _rows(self, numbers: NDArray[np.int64]) -> Vectors:
        """The table with at least those rows decoded: eight numbers are eight times a few bits."""
        fresh = numbers[~self._ready[numbers]]
        bits = len(self._levels).bit_length() - 1
        for at in range(0, len(fresh), _DECODED):
            rows = fresh[at : at + _DECODED]
            packed = self._codes[rows].reshape(len(rows), -1, bits).astype(np.int64)
            eight = (packed << (8 * np.arange(bits))).sum(-1)
            codes = (eight[..., None] >> (bits * np.arange(8))) & (len(self._levels) - 1)
            levels = self._levels[codes.reshape(len(rows), self._dim)]
            self._vectors[rows] = levels * self._sizes[rows][:, None]
        self._ready[fresh] = True
        return self._vectors

    def _parts(self, word: str) -> tuple[list[int], list[float]]:
        """The rows of a word's parts, and what each counts for."""
        rows: list[int] = []
        kinds: list[str] = []
        for name in features(word, self._counts):
            row = self._row.get(name)
            if row is None:
                row = self._row.get(bucket(name))
            if row is not None:
                rows.append(row)
                kinds.append(name[:2])
        share = {kind: max(1, kinds.count(kind)) ** -0.5 for kind in SEVERAL}
        return rows, [share.get(kind, 1.0) for kind in kinds]

    def _compose(self, strange: list[str]) -> Vectors:
        """The vectors of words without a row of their own, each the sum of its parts."""
        if len(self._composed) + len(strange) > _REMEMBERED:
            self._composed.clear()
        new = [word for word in strange if word not in self._composed]
        parts = [self._parts(word) for word in new]
        rows = np.array([row for rows, _ in parts for row in rows], dtype=np.int64)
        shares = np.array([share for _, shares in parts for share in shares], dtype=np.float32)
        lengths = np.array([len(rows) for rows, _ in parts], dtype=np.int64)
        made = np.zeros((len(new), self._dim), dtype=np.float32)
        _add_up(self._rows(np.unique(rows)), rows, lengths, made, shares)
        self._composed.update(zip(new, made, strict=True))
        return np.stack([self._composed[word] for word in strange])

    def _sum(self, lists: pl.Series, out: Vectors) -> None:
        """Adds up the words of each list into the rows of `out`."""
        lengths = lists.list.len().to_numpy().astype(np.int64)
        flat = lists.filter(lists.list.len() > 0).explode()
        numbers = flat.cast(self._known, strict=False).to_physical()
        unknown = flat.filter(numbers.is_null())
        ids = numbers.fill_null(0).cast(pl.Int64).to_numpy().copy()
        used, local = np.unique(ids, return_inverse=True)
        table = self._rows(used)[used]
        if len(unknown):
            strange = unknown.unique(maintain_order=True)
            place = unknown.cast(pl.Enum(strange)).to_physical().cast(pl.Int64).to_numpy()
            local[numbers.is_null().to_numpy()] = len(used) + place
            table = np.concatenate([table, self._compose(strange.to_list())])
        _add_up(table, local, lengths, out)


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
    for at in range(0, len(order), _BLOCK):
        block = order[at : at + _BLOCK]
        long = lengths[block]
        sums = np.zeros((len(block), out.shape[1]), dtype=np.float32)
        buffer = np.empty_like(sums)
        for position in range(int(long[0])):
            n = int(np.searchsorted(-long, -position))
            here = starts[block[:n]] + position
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
