"""What looks wrong with a translation, seen from outside.

    empty           nothing was said, though the source has letters or digits
    cut             the model was stopped before it came to an end
    copied          the source is given back, whole or almost
    repeated        it runs in circles, and the source does not
    wrong_language  it is in another language than was asked for
    length          it is several times as long or as short as translations are

A flag is a reason to look, or to leave a pair out: nothing is left out here.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Sequence

import polars as pl
import regex

from ingest.detection import identify
from ingest.detection.rules import candidates, rules
from ingest.languages import DENSITY
from ingest.text import comparable
from ingest.translation.packages.package import DETECTED_AS

FLAGS = ("empty", "cut", "copied", "repeated", "wrong_language", "length")

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_LETTER = regex.compile(r"\p{L}")
_NAME = regex.compile(r"[\p{Ll}\p{M}]*[\p{Lu}\p{Lt}][\p{Ll}\p{Lu}\p{M}]*")
# Names stay as they are in languages of one script: only many words are told to be a copy by most
# of them.
_COPY_WORDS, _COPY_SHARE = 5, 0.8
# A run of one word is a loop from the fourth, of several words from the third time: "very very
# very", "ha ha ha" and refrains are said by people.
_LOOP_WORDS = 8
_LOOP_TIMES = {1: 4}
_LOOP_TIMES_MORE = 3
_CHARACTERS = 16  # of a word, from which it is looked at sign by sign
_TRIGRAMS, _TRIGRAM_SHARE = 12, 0.5  # words from which on, and share of trigrams said before
_LETTERS, _SURE = 20, 0.9  # letters that tell a language, and how surely it must be another
_NONE = ("und", "zxx")
_BESIDE_NAMES = 0.25  # share of letters beside names from which they tell it
# How many times as long, and characters that are added to both: acronyms are written out
_RATIO, _GIVE = 2.5, 20


def flags(
    sources: Sequence[str], targets: Sequence[str], ended: Sequence[bool], pair: tuple[str, str]
) -> list[tuple[str, ...]]:
    """The flags of each translation, in the order of FLAGS.

    Args:
        sources: distinct texts.
        targets: what was made of them.
        ended: whether the model came to an end by itself.
        pair: languages of source and target.

    >>> flags(["One bird sings."], ["طائر طائر طائر طائر طائر"], [True], ("en", "ar"))
    [('repeated',)]
    """
    wrong = _other_language(targets, pair[1])
    folded = zip(_folded(sources), _folded(targets), strict=True)
    made = []
    for (source, target), whole, other in zip(folded, ended, wrong, strict=True):
        said = {"empty": False, "cut": not whole, "wrong_language": other}
        words = _WORD.findall(source), _WORD.findall(target)
        if words[0] and not words[1]:
            said["empty"] = True
        elif words[0]:
            said["copied"] = _copied(source, target, *words)
            said["repeated"] = _repeated(*words)
            said["length"] = _implausible(len(source), len(target), pair)
        made.append(tuple(flag for flag in FLAGS if said.get(flag)))
    return made


def _folded(texts: Sequence[str]) -> list[str]:
    """As texts are compared, without case."""
    frame = pl.DataFrame({"text": texts}, {"text": pl.String})
    return frame.select(comparable(pl.col("text")).str.to_lowercase())["text"].to_list()


def _copied(source: str, target: str, words: list[str], said: list[str]) -> bool:
    if not _LETTER.search(source):  # numbers are the same in all languages
        return False
    if source == target:
        return True
    known = set(words)
    letters = [word for word in said if _LETTER.search(word)]
    same = sum(word in known for word in letters)
    return len(letters) >= _COPY_WORDS and same >= _COPY_SHARE * len(letters)


def _repeated(words: list[str], said: list[str]) -> bool:
    """Whether a translation runs in circles and its source does not, or is once short of it."""
    rounds = _rounds(said)
    if rounds >= 0 and rounds > _rounds(words) + 1:
        return True
    return _comes_again(said) and not _comes_again(words)


def _rounds(words: list[str]) -> int:
    """How often words, or the signs of a long word, come beyond what makes a loop."""
    long = [word for word in words if len(word) >= _CHARACTERS]
    return max(_loops(words), max(map(_loops, long), default=-_LOOP_TIMES_MORE))


def _loops(items: Sequence[Hashable]) -> int:
    """How often some items follow themselves at once, less the times that make a loop."""
    most = 1 - _LOOP_TIMES_MORE
    for size in range(1, _LOOP_WORDS + 1):
        run = longest = 0
        for one, next_one in zip(items, items[size:], strict=False):
            run = run + 1 if one == next_one else 0
            longest = max(longest, run)
        most = max(most, longest // size + 1 - _LOOP_TIMES.get(size, _LOOP_TIMES_MORE))
    return most


def _comes_again(words: list[str]) -> bool:
    """Whether most of many words were said before, in threes."""
    trigrams = list(zip(words, words[1:], words[2:], strict=False))
    few = len(set(trigrams)) < (1 - _TRIGRAM_SHARE) * len(trigrams)
    return few and len(words) >= _TRIGRAMS


def _implausible(source: int, target: int, pair: tuple[str, str]) -> bool:
    expected, made = (
        chars / DENSITY.get(lang, 1.0) + _GIVE
        for chars, lang in zip((source, target), pair, strict=True)
    )
    return abs(math.log(made / expected)) > math.log(_RATIO)


def _other_language(targets: Sequence[str], to: str) -> list[bool]:
    wanted = DETECTED_AS.get(to, to)
    scripts = _scripts().get(wanted)
    if not scripts:
        return [False] * len(targets)
    texts = pl.Series(targets, dtype=pl.String)
    distinct = texts.filter(texts.str.count_matches(r"\p{L}") >= _LETTERS).unique()
    found = identify(distinct).filter(
        ~pl.col("lang").is_in([wanted, *_NONE]) & (pl.col("lang_score") >= _SURE)
    )
    wrong = set()
    # names are as they are at home, and what stands beside them tells
    beside = identify([_NAME.sub(" ", text) for text in found["text"]])
    for text, script, rest in zip(
        found["text"], found["script"], beside.iter_rows(named=True), strict=True
    ):
        if script in scripts:
            most = len(_LETTER.findall(rest["text"])) >= _BESIDE_NAMES * len(_LETTER.findall(text))
            other = most and rest["lang"] not in (wanted, *_NONE)
        else:
            other = rest["script"] not in scripts
        if other:
            wrong.add(text)
    return [target in wrong for target in targets]


def _scripts() -> dict[str, set[str]]:
    """The scripts of each language that detection can name."""
    found = defaultdict[str, set[str]](set)
    for script in rules()["languages"]:
        for lang in candidates(script):
            found[lang.partition("-")[0]].add(script)
    for own in rules()["scripts"]:
        if own["lang"]:
            found[own["lang"].partition("-")[0]].add(own["code"])
    return found
