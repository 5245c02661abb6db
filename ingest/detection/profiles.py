"""langdetect's profiles as one table: the exact sum that langdetect only samples.

langdetect draws n-grams at random and multiplies `alpha + p(ngram | lang)` until one language
wins, seven times with another alpha. Here every n-gram counts once, with a weight for its order.
Profiles: langdetect's own JSON files (of the installed package) and ours under `lang_models/`.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ingest.detection.ngram_table import NATS, SPACE, UNKNOWN, Level, SuffixTable, Symbols
from ingest.detection.symbols import BMP
from ingest.errors import ModelError
from ingest.resources import model_dir

if TYPE_CHECKING:
    from collections.abc import Sequence

ALPHA = 3e-5  # langdetect: 5e-5; found on the dev fragments, flat between 2e-5 and 5e-5
WEIGHTS = (0.3, 0.6, 1.0)  # of 1-, 2-, 3-grams: a trigram already tells most of its parts
# blocks in which langdetect's normalisation changes a letter or makes it a space
_FOLDED = (range(0x250), range(0x600, 0x700), range(0x1E00, 0x1F00), range(0x2000, 0x2070))
Frequencies = dict[str, dict[str, float]]
Vectors = NDArray[np.float64]


def read(lang: str) -> dict[str, float]:
    """p(ngram | lang) of one profile, each order by itself, as langdetect's `add_profile`.

    Raises:
        ModelError: there is no such profile, or it is damaged.
    """
    path = _folder(lang) / lang
    try:
        made = json.loads(path.read_text(encoding="utf-8"))
        grams = [g for g in made["freq"] if 0 < len(g) <= 3]
        counts = np.array([made["freq"][g] for g in grams], dtype=np.float64)
        totals = np.array(made["n_words"], dtype=np.float64)[np.array([len(g) - 1 for g in grams])]
        return dict(zip(grams, (counts / totals).tolist(), strict=True))
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise ModelError(f"{path}: not a langdetect profile: {error}") from error


def _folder(lang: str) -> Path:
    ours = model_dir("langdetect")
    if (ours / lang).is_file():
        return ours
    spec = find_spec("langdetect")
    if spec is None or spec.origin is None:
        raise ModelError("langdetect is not installed, and its profiles are needed")
    return Path(spec.origin).parent / "profiles"


def table(
    profiles: Frequencies, *, alpha: float = ALPHA, weights: Sequence[float] = WEIGHTS
) -> SuffixTable:
    """The profiles of a script's languages as sums over n-grams.

    The vector of a trigram abc is w3 log(alpha + p(abc)) + w2 log(alpha + p(bc)) + w1 log(alpha +
    p(c)), n-grams that no profile has left out, as in langdetect; so one look-up a position adds
    up all n-grams that end there.
    """
    known = set().union(*profiles.values())
    alphabet = sorted(set("".join(known)) - {" "})
    number = {" ": SPACE} | {c: i for i, c in enumerate(alphabet, 2)}
    # a trigram is found through its first two symbols, so these need a node of their own
    pairs = sorted({g for g in known if len(g) == 2} | {g[:2] for g in known if len(g) == 3})
    triples = sorted(g for g in known if len(g) == 3)
    chars = ["", " ", *alphabet]
    nodes = {g: i for i, g in enumerate(pairs, 1)}

    cuts = [len(chars), len(chars) + len(pairs)]
    own = np.split(_own([*chars, *pairs, *triples], profiles, alpha), cuts, axis=1)
    w1, w2, w3 = weights
    tail1 = np.array([number[g[-1]] for g in pairs], dtype=np.int64)
    single = w1 * own[0]
    double = w2 * own[1] + single[:, tail1]
    # bc may be no node: then only c counts
    tail = [nodes.get(g[1:], 0) for g in triples]
    last = [number[g[-1]] for g in triples]
    both = np.concatenate((np.zeros((len(profiles), 1)), double), axis=1)
    below = np.where(np.array(tail) > 0, both[:, tail], single[:, last])
    vectors = np.concatenate((single, double, w3 * own[2] + below), axis=1)
    levels = [
        Level(*_columns([(number[g[0]], number[g[1]]) for g in pairs])),
        Level(*_columns([(nodes[g[:2]], number[g[2]]) for g in triples])),
    ]
    fixed = np.rint(vectors * NATS).astype(np.int32)
    return SuffixTable(_lookup(number), len(chars), levels, fixed)


def _own(grams: list[str], profiles: Frequencies, alpha: float) -> Vectors:
    """log(alpha + p) for each language and n-gram, 0 where no profile knows the n-gram."""
    index = {g: i for i, g in enumerate(grams)}
    p = np.zeros((len(profiles), len(grams)))
    for row, freq in zip(p, profiles.values(), strict=True):
        row[[index[g] for g in freq]] = list(freq.values())
    p[:, index[" "]] = 0.0  # a space alone is no n-gram
    return np.where(p.any(axis=0), np.log(p + alpha), 0.0)


def _columns(pairs: list[tuple[int, int]]) -> tuple[Symbols, Symbols]:
    array = np.array(pairs, dtype=np.int32).reshape(-1, 2)
    return array[:, 0], array[:, 1]


def _lookup(number: dict[str, int]) -> Symbols:
    from langdetect.utils.ngram import NGram

    # what langdetect keeps but no profile here has is an unknown letter, not a space
    lookup = np.full(BMP, UNKNOWN, dtype=np.int32)
    for char, symbol in number.items():
        lookup[ord(char)] = symbol
    for block in _FOLDED:
        for code in block:
            lookup[code] = number.get(NGram.normalize(chr(code)), UNKNOWN)
    for char, representative in NGram.CJK_MAP.items():
        lookup[ord(char)] = number.get(representative, UNKNOWN)
    return lookup
