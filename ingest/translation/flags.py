"""Flag translations that look wrong.

    empty           the translation has no words, but the source does
    cut             the output hit the length limit
    copied          the translation is the source, or almost
    repeated        the translation loops, and the source does not
    wrong_language  the translation is in another language than requested
    length          the translation is several times longer or shorter than expected
    lost_url        a URL of the source is missing; so for every kind of item, as in `items`
    low_score       the model was so unsure that the translation is most likely useless

All but `cut`, `repeated` and `lost_…` look only at the text besides the items that a translation
does not change.

A flag is a reason to look at a pair or to drop it. Nothing is dropped here.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence

import polars as pl
import regex

from ingest.detection import identify, identify_texts
from ingest.detection.rules import candidate_languages, load_rules
from ingest.languages import DENSITY
from ingest.numbers import number_keys
from ingest.text import comparable
from ingest.translation.items import KINDS, Item, find_items
from ingest.translation.packages.package import DETECTED_AS

LOST = tuple(f"lost_{kind}" for kind in KINDS)
FLAGS = ("empty", "cut", "copied", "repeated", "wrong_language", "length", *LOST, "low_score")

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_LETTER = regex.compile(r"\p{L}")
_DIGIT = regex.compile(r"\d")
_NAME = regex.compile(r"[\p{Ll}\p{M}]*[\p{Lu}\p{Lt}][\p{Ll}\p{Lu}\p{M}]*")
# Languages of one script share names unchanged, so a copy needs several words, most of them the
# same.
_COPY_MIN_WORDS, _COPY_SHARE = 5, 0.8
# One word is a loop from its fourth time in a row, a sequence of words from its third: people do
# write "very very very", "ha ha ha" and refrains.
_LOOP_MAX_WORDS = 8
_SINGLE_WORD_LOOP = 4
_SEQUENCE_LOOP = 3
_LONG_WORD = 16  # characters; longer words are also searched for loops of characters
_TRIGRAM_MIN_WORDS, _REPEATED_TRIGRAM_SHARE = 12, 0.5
_MIN_LETTERS, _MIN_CONFIDENCE = 20, 0.9  # for a language to be detected as wrong
_NO_LANGUAGE = ("und", "zxx")
_REST_SHARE = 0.25  # share of letters outside names that is enough to detect a language
_IN_WORDS = 12  # a whole number up to this may be written in words
# Accepted length ratio, and characters added to both sides, since acronyms may be spelled out.
_MAX_RATIO, _EXTRA_CHARS = 2.5, 20


def find_flags(
    sources: Sequence[str],
    targets: Sequence[str],
    ended: Sequence[bool],
    pair: tuple[str, str],
    unsure: Sequence[bool] | None = None,
) -> list[tuple[str, ...]]:
    """Return the flags of each translation, in the order of FLAGS.

    Args:
        sources: distinct texts.
        targets: their translations.
        ended: whether the model ended each translation by itself.
        pair: source and target language.
        unsure: whether the score of each is low; None if no score is.

    >>> find_flags(["One bird sings."], ["طائر طائر طائر طائر طائر"], [True], ("en", "ar"))
    [('repeated',)]
    >>> find_flags(["See a.org"], ["انظر"], [True], ("en", "ar"))
    [('lost_url',)]
    """
    items = [list(map(find_items, texts)) for texts in (sources, targets)]
    lost = _find_lost(sources, targets, *items)
    bare_sources, bare_targets = (
        list(map(_without, texts, spans))
        for texts, spans in zip((sources, targets), items, strict=True)
    )
    in_wrong_language = _are_in_wrong_language(bare_targets, pair[1])
    sides = (bare_sources, bare_targets, sources, targets)
    texts = list(dict.fromkeys(text for side in sides for text in side))
    folded = dict(zip(texts, _fold(texts), strict=True))
    flags = []
    for at, (bare_source, bare_target, *texts) in enumerate(zip(*sides, strict=True)):
        source, target = folded[bare_source], folded[bare_target]
        checks = dict.fromkeys(lost[at], True)
        checks["cut"] = not ended[at]
        checks["wrong_language"] = in_wrong_language[at]
        checks["low_score"] = bool(unsure and unsure[at])
        words = _WORD.findall(source), _WORD.findall(target)
        if words[0] and not words[1]:
            checks["empty"] = True
        elif words[0]:
            checks["copied"] = _is_copy(source, target, *words)
            checks["length"] = _is_implausible_length(len(source), len(target), pair)
            has_items = items[0][at] or items[1][at]
            whole = (_WORD.findall(folded[text]) for text in texts) if has_items else words
            checks["repeated"] = _is_repetitive(*whole)
        flags.append(tuple(flag for flag in FLAGS if checks.get(flag)))
    return flags


def _find_lost(
    sources: Sequence[str],
    targets: Sequence[str],
    source_items: Sequence[list[Item]],
    target_items: Sequence[list[Item]],
) -> list[set[str]]:
    """Return the flags for the items of each source that its translation does not have."""
    lost = [
        _lost_items(source, items, target) if items else set()
        for source, items, target in zip(sources, source_items, targets, strict=True)
    ]
    rows = [at for at, source in enumerate(sources) if _DIGIT.search(source)]
    texts = [
        _without(side[at], [item for item in items[at] if item.kind != "number"])
        for side, items in ((sources, source_items), (targets, target_items))
        for at in rows
    ]
    numbers = number_keys(pl.Series(texts, dtype=pl.String)).to_list()
    for at, ours, theirs in zip(rows, numbers, numbers[len(rows) :], strict=False):
        if _loses_number(ours, theirs):
            lost[at].add("lost_number")
    return lost


def _lost_items(source: str, items: list[Item], target: str) -> set[str]:
    texts = Counter((source[start:end], kind) for start, end, kind in items if kind != "number")
    return {f"lost_{kind}" for (text, kind), count in texts.items() if target.count(text) < count}


def _loses_number(source: list[str], target: list[str]) -> bool:
    """Whether a number of the source is neither in the translation nor written in words."""
    missing = Counter(source) - Counter(target)
    in_words = all(len(key) < 3 and key.isdecimal() and int(key) <= _IN_WORDS for key in missing)
    return bool(missing) and (not in_words or bool(Counter(target) - Counter(source)))


def _without(text: str, items: list[Item]) -> str:
    """Return a text with spaces in place of items."""
    if not items:
        return text
    parts, position = [], 0
    for start, end, _ in items:
        parts += [text[position:start], " "]
        position = end
    return "".join([*parts, text[position:]])


def _fold(texts: Sequence[str]) -> list[str]:
    """Return the comparable form of each text, in lower case."""
    frame = pl.DataFrame({"text": texts}, {"text": pl.String})
    return frame.select(comparable(pl.col("text")).str.to_lowercase())["text"].to_list()


def _is_copy(source: str, target: str, source_words: list[str], target_words: list[str]) -> bool:
    if not _LETTER.search(source):  # numbers are the same in all languages
        return False
    if source == target:
        return True
    known = set(source_words)
    with_letters = [word for word in target_words if _LETTER.search(word)]
    shared = sum(word in known for word in with_letters)
    return len(with_letters) >= _COPY_MIN_WORDS and shared >= _COPY_SHARE * len(with_letters)


def _is_repetitive(source_words: list[str], target_words: list[str]) -> bool:
    """Whether a translation loops and its source does not come close to a loop."""
    excess = _excess_repeats(target_words)
    if excess >= 0 and excess > _excess_repeats(source_words) + 1:
        return True
    return _repeats_trigrams(target_words) and not _repeats_trigrams(source_words)


def _excess_repeats(words: list[str]) -> int:
    """Count repeats beyond those of a minimal loop, among words and characters of long words."""
    long_words = [word for word in words if len(word) >= _LONG_WORD]
    in_words = max(map(_excess_repeats_of, long_words), default=-_SEQUENCE_LOOP)
    return max(_excess_repeats_of(words), in_words)


def _excess_repeats_of(items: Sequence[Hashable]) -> int:
    """Count how often a sequence of items follows itself, minus the repeats of a minimal loop."""
    excess = 1 - _SEQUENCE_LOOP
    if len(set(items)) == len(items):
        return excess
    for size in range(1, _LOOP_MAX_WORDS + 1):
        run = longest = 0
        for item, later in zip(items, items[size:], strict=False):
            run = run + 1 if item == later else 0
            longest = max(longest, run)
        minimum = _SINGLE_WORD_LOOP if size == 1 else _SEQUENCE_LOOP
        excess = max(excess, longest // size + 1 - minimum)
    return excess


def _repeats_trigrams(words: list[str]) -> bool:
    """Whether a long text consists mostly of word trigrams that occurred before."""
    trigrams = list(zip(words, words[1:], words[2:], strict=False))
    repetitive = len(set(trigrams)) < (1 - _REPEATED_TRIGRAM_SHARE) * len(trigrams)
    return repetitive and len(words) >= _TRIGRAM_MIN_WORDS


def _is_implausible_length(source_chars: int, target_chars: int, pair: tuple[str, str]) -> bool:
    expected, actual = (
        chars / DENSITY.get(lang, 1.0) + _EXTRA_CHARS
        for chars, lang in zip((source_chars, target_chars), pair, strict=True)
    )
    return abs(math.log(actual / expected)) > math.log(_MAX_RATIO)


def _are_in_wrong_language(targets: Sequence[str], to: str) -> list[bool]:
    expected = DETECTED_AS.get(to, to)
    scripts = _scripts_by_language().get(expected)
    if not scripts:
        return [False] * len(targets)
    texts = pl.Series(targets, dtype=pl.String)
    distinct = texts.filter(texts.str.count_matches(r"\p{L}") >= _MIN_LETTERS).unique()
    suspects = identify_texts(distinct).filter(
        ~pl.col("lang").is_in([expected, *_NO_LANGUAGE]) & (pl.col("lang_score") >= _MIN_CONFIDENCE)
    )
    if suspects.is_empty():
        return [False] * len(targets)
    wrong = set()
    # Names are often left untranslated, so the text outside names decides.
    rests = identify([_NAME.sub(" ", text) for text in suspects["text"]])
    for text, script, rest in zip(
        suspects["text"], suspects["script"], rests.iter_rows(named=True), strict=True
    ):
        if script in scripts:
            letters, rest_letters = (len(_LETTER.findall(t)) for t in (text, rest["text"]))
            enough = rest_letters >= _REST_SHARE * letters
            is_wrong = enough and rest["lang"] not in (expected, *_NO_LANGUAGE)
        else:
            is_wrong = rest["script"] not in scripts
        if is_wrong:
            wrong.add(text)
    return [target in wrong for target in targets]


def _scripts_by_language() -> dict[str, set[str]]:
    """Return the scripts of each language that detection knows."""
    scripts = defaultdict[str, set[str]](set)
    for script in load_rules()["languages"]:
        for lang in candidate_languages(script):
            scripts[lang.partition("-")[0]].add(script)
    for entry in load_rules()["scripts"]:
        if entry["lang"]:
            scripts[entry["lang"].partition("-")[0]].add(entry["code"])
    return scripts
