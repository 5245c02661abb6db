"""langdetect's profiles as one table, which gives the exact sum that langdetect only samples.

langdetect draws n-grams at random and multiplies `alpha + p(ngram | lang)` until one language wins,
seven times with different alphas. Here every n-gram counts once, with a weight for its order. The
profiles are langdetect's own JSON files, from the installed package, and further ones in
`lang_models/langdetect`.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ingest.detection.ngram_table import NATS, SPACE, UNKNOWN, Level, SuffixTable, Symbols
from ingest.detection.text_batch import BMP
from ingest.errors import ModelError
from ingest.resources import model_dir

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingest._typing import F64

ALPHA = 3e-5  # langdetect uses 5e-5; fitted on the dev fragments, flat between 2e-5 and 5e-5
WEIGHTS = (0.3, 0.6, 1.0)  # of 1-, 2- and 3-grams: a trigram already implies most of its parts
# blocks in which langdetect's normalisation changes a letter or turns it into a space
_NORMALIZED = (range(0x250), range(0x600, 0x700), range(0x1E00, 0x1F00), range(0x2000, 0x2070))
Frequencies = dict[str, dict[str, float]]


def load_profile(lang: str) -> dict[str, float]:
    """Load p(ngram | lang), normalised per order as in langdetect's `add_profile`.

    Raises:
        ModelError: the profile is missing or damaged.
    """
    path = _profile_dir(lang) / lang
    try:
        profile = json.loads(path.read_text(encoding="utf-8"))
        freq = profile["freq"]
        grams = [g for g in freq if 0 < len(g) <= 3]
        counts = np.array([freq[g] for g in grams], dtype=np.float64)
        orders = np.array([len(g) - 1 for g in grams])
        totals = np.array(profile["n_words"], dtype=np.float64)[orders]
        return dict(zip(grams, (counts / totals).tolist(), strict=True))
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise ModelError(
            f"{path}: not a langdetect profile ({error}); reinstall langdetect or ingest"
        ) from error


def _profile_dir(lang: str) -> Path:
    shipped = model_dir("langdetect")
    if (shipped / lang).is_file():
        return shipped
    spec = find_spec("langdetect")
    if spec is None or spec.origin is None:
        raise ModelError("langdetect is not installed, but its profiles are needed; install it")
    return Path(spec.origin).parent / "profiles"


def build_table(
    profiles: Frequencies, *, alpha: float = ALPHA, weights: Sequence[float] = WEIGHTS
) -> SuffixTable:
    """Build the table that sums the profiles of a script's languages over n-grams.

    The vector of a trigram abc is w3 log(alpha + p(abc)) + w2 log(alpha + p(bc)) + w1 log(alpha +
    p(c)), so one look-up per position adds up all n-grams that end there. As in langdetect,
    n-grams that no profile contains do not count.
    """
    known = set().union(*profiles.values())
    alphabet = sorted(set("".join(known)) - {" "})
    number = {" ": SPACE} | {c: i for i, c in enumerate(alphabet, 2)}
    # A trigram is found through its first two symbols, so these need a node of their own.
    pairs = sorted({g for g in known if len(g) == 2} | {g[:2] for g in known if len(g) == 3})
    triples = sorted(g for g in known if len(g) == 3)
    chars = ["", " ", *alphabet]
    nodes = {g: i for i, g in enumerate(pairs, 1)}

    cuts = [len(chars), len(chars) + len(pairs)]
    logs = np.split(_log_frequencies([*chars, *pairs, *triples], profiles, alpha), cuts, axis=1)
    w1, w2, w3 = weights
    pair_tail = np.array([number[g[-1]] for g in pairs], dtype=np.int64)
    single = w1 * logs[0]
    double = w2 * logs[1] + single[:, pair_tail]
    # bc may have no node: then only c counts
    tail = [nodes.get(g[1:], 0) for g in triples]
    last = [number[g[-1]] for g in triples]
    padded = np.concatenate((np.zeros((len(profiles), 1)), double), axis=1)
    lower = np.where(np.array(tail) > 0, padded[:, tail], single[:, last])
    vectors = np.concatenate((single, double, w3 * logs[2] + lower), axis=1)
    levels = [
        Level(*_split_columns([(number[g[0]], number[g[1]]) for g in pairs])),
        Level(*_split_columns([(nodes[g[:2]], number[g[2]]) for g in triples])),
    ]
    fixed = np.rint(vectors * NATS).astype(np.int32)
    return SuffixTable(_symbol_lookup(number), len(chars), levels, fixed)


def _log_frequencies(grams: list[str], profiles: Frequencies, alpha: float) -> F64:
    """log(alpha + p): [languages, n-grams], 0 for n-grams that no profile contains."""
    index = {g: i for i, g in enumerate(grams)}
    p = np.zeros((len(profiles), len(grams)))
    for row, freq in zip(p, profiles.values(), strict=True):
        row[[index[g] for g in freq]] = list(freq.values())
    p[:, index[" "]] = 0.0  # a single space is not an n-gram
    return np.where(p.any(axis=0), np.log(p + alpha), 0.0)


def _split_columns(pairs: list[tuple[int, int]]) -> tuple[Symbols, Symbols]:
    array = np.array(pairs, dtype=np.int32).reshape(-1, 2)
    return array[:, 0], array[:, 1]


def _symbol_lookup(number: dict[str, int]) -> Symbols:
    from langdetect.utils.ngram import NGram

    # A letter that langdetect keeps but no profile here contains is UNKNOWN, not SPACE.
    lookup = np.full(BMP, UNKNOWN, dtype=np.int32)
    for char, symbol in number.items():
        lookup[ord(char)] = symbol
    for block in _NORMALIZED:
        for code in block:
            lookup[code] = number.get(NGram.normalize(chr(code)), UNKNOWN)
    for char, representative in NGram.CJK_MAP.items():
        lookup[ord(char)] = number.get(representative, UNKNOWN)
    return lookup
