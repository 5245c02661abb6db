"""Training text as sentence pieces, cut anew for each epoch by other processes.

Needs torch, NumPy and sentencepiece alone, so that it runs where ingest is not installed.
"""

from __future__ import annotations

from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Ints = NDArray[np.int32]
    Encoded = tuple[Ints, Ints]

UNK, BOS, EOS, PAD = 0, 1, 2, 3
MAX_PIECES = 100  # per side; longer pairs are more often misaligned than useful
_ROWS = 8192  # encoded by a process at a time


@dataclass(frozen=True)
class Texts:
    """Pairs of texts, and how often each is used in an epoch."""

    english: list[str]
    arabic: list[str]
    passes: NDArray[np.float32]

    @staticmethod
    def read(path: Path) -> Texts:
        """Read a file of `english<TAB>arabic<TAB>passes` lines, as `write` writes it."""
        lines = path.read_text(encoding="utf-8").split("\n")[:-1]
        english, arabic, passes = zip(*(line.split("\t") for line in lines), strict=True)
        return Texts(list(english), list(arabic), np.asarray(passes, np.float32))

    def write(self, path: Path) -> None:
        """Write one line a pair; tabs and line breaks inside a text become spaces."""
        rows = zip(self.english, self.arabic, self.passes.tolist(), strict=True)
        lines = (f"{' '.join(en.split())}\t{' '.join(ar.split())}\t{n:g}\n" for en, ar, n in rows)
        path.write_text("".join(lines), encoding="utf-8")


@dataclass(frozen=True)
class Corpus:
    """Encoded pairs on a device: ids in a row and the n + 1 offsets, for English and Arabic."""

    ids: tuple[Tensor, Tensor]
    starts: tuple[Tensor, Tensor]
    sizes: tuple[Ints, Ints]

    @staticmethod
    def build(sides: Sequence[Encoded], device: str) -> Corpus:
        """Put encoded sides, `(ids, sizes)` of English and of Arabic, on a device."""
        (en_ids, en_sizes), (ar_ids, ar_sizes) = sides
        starts = [np.concatenate([[0], np.cumsum(sizes)]) for sizes in (en_sizes, ar_sizes)]
        ids = [torch.from_numpy(np.append(side, EOS)).to(device) for side in (en_ids, ar_ids)]
        on_device = [torch.from_numpy(offsets).to(device) for offsets in starts]
        return Corpus((ids[0], ids[1]), (on_device[0], on_device[1]), (en_sizes, ar_sizes))

    def pad(self, side: int, rows: Ints) -> Tensor:
        """Return [rows, length]: BOS, pieces, EOS, padding.

        Inputs lack the first or the last column; without it, the length is a multiple of eight.
        """
        ids, starts = self.ids[side], self.starts[side]
        length = -(-(int(self.sizes[side][rows].max()) + 1) // 8) * 8 + 1
        chosen = torch.from_numpy(rows).to(ids.device)
        first, last = starts[chosen, None], starts[chosen + 1, None]
        at = first - 1 + torch.arange(length, device=ids.device)
        out = ids[at.clamp(0, len(ids) - 1)].long()
        out = torch.where(at == last, EOS, torch.where(at > last, PAD, out))
        out[:, 0] = BOS
        return out

    def count(self, side: int, rows: Ints) -> int:
        """Count the pieces to predict, the ends included."""
        return int(self.sizes[side][rows].sum()) + len(rows)

    def draw_batches(self, tokens: int, rng: np.random.Generator) -> Iterator[Ints]:
        """Yield each row once, in batches of similar length of at most `tokens` with padding."""
        lengths = np.maximum(*self.sizes)
        rows = np.argsort(lengths + rng.random(len(lengths)) * 3, kind="stable")
        width = np.maximum.accumulate(lengths[rows] + 2)
        groups, begin = [], 0
        while begin < len(rows):
            end = begin + max(8, int(tokens // width[min(begin + 8, len(rows) - 1)]))
            groups.append(rows[begin:end])
            begin = end
        for i in rng.permutation(len(groups)):
            yield groups[i]


class Epochs:
    """Epochs of a corpus; while one is trained on, processes encode the next.

    A text is cut into other pieces each time (Kudo 2018, "Subword Regularization"), with a seed
    that depends on `seed`, the epoch and the row alone.
    """

    def __init__(self, texts: Texts, model: Path, *, alpha: float, seed: int, device: str) -> None:
        import os

        self.texts, self.model, self.device = texts, str(model), device
        self.alpha, self.seed = alpha, seed
        self.pool = ProcessPoolExecutor(os.cpu_count())
        self.waiting: dict[int, list[Future[list[Encoded]]]] = {}

    def encode(self, epoch: int) -> Corpus:
        """Return an epoch, encoded, and start on the next one."""
        for number in (epoch, epoch + 1):
            if number not in self.waiting:
                self.waiting[number] = self._start(number)
        parts = [future.result() for future in self.waiting.pop(epoch)]
        sides = [
            tuple(np.concatenate([part[side][i] for part in parts]) for i in (0, 1))
            for side in (0, 1)
        ]
        return Corpus.build([(sides[0][0], sides[0][1]), (sides[1][0], sides[1][1])], self.device)

    def close(self) -> None:
        """Stop the processes."""
        self.pool.shutdown(cancel_futures=True)

    def _start(self, epoch: int) -> list[Future[list[Encoded]]]:
        rng = np.random.default_rng([self.seed, epoch])
        passes = self.texts.passes
        times = np.floor(passes + rng.random(len(passes))).astype(int)
        rows = np.repeat(np.arange(len(times)), times)
        return [
            self.pool.submit(
                _encode, self.model,
                [self.texts.english[i] for i in part], [self.texts.arabic[i] for i in part],
                self.alpha, int(np.random.default_rng([self.seed, epoch, number]).integers(2**31)),
            )
            for number, part in enumerate(np.split(rows, range(_ROWS, len(rows), _ROWS)))
        ]  # fmt: skip


def encode_whole(texts: Texts, model: Path, device: str) -> Corpus:
    """Encode each pair once, in its most probable pieces."""
    return Corpus.build(_encode(str(model), texts.english, texts.arabic, 0.0, 0), device)


@cache
def _load(path: str) -> Any:
    import sentencepiece

    return sentencepiece.SentencePieceProcessor(model_file=path)


def _encode(
    model: str, english: list[str], arabic: list[str], alpha: float, seed: int
) -> list[Encoded]:
    """Encode both sides, without the pairs that have an empty side or more than `MAX_PIECES`."""
    import sentencepiece

    sampling: dict[str, Any] = {}
    if alpha:
        sentencepiece.set_random_generator_seed(seed)
        sampling = {"enable_sampling": True, "alpha": alpha, "nbest_size": -1}
    encoded = [_load(model).encode(side, num_threads=1, **sampling) for side in (english, arabic)]
    sizes = np.array([[len(text) for text in side] for side in encoded])
    fits = np.flatnonzero((sizes.min(axis=0) > 0) & (sizes.max(axis=0) <= MAX_PIECES))
    return [
        (
            np.fromiter((i for row in fits for i in side[row]), np.int32),
            sizes[number][fits].astype(np.int32),
        )
        for number, side in enumerate(encoded)
    ]
