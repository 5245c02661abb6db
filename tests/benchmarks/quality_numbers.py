"""How often right and wrong pairs are kept if their numbers and months are written differently.

    python tests/benchmarks/quality_numbers.py [--shared DIR]

Takes pairs of FLORES devtest and of files of `parallel`, writes one number or the months of a pair
in another way, right or wrong, and prints the share with a quality of at least 0.2: `before` with
numbers and months compared as they stand, `after` as `ingest.score` does.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
from pathlib import Path

import polars as pl

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parent))
from quality import as_pairs

from ingest import scoring
from ingest.numbers import expand_magnitudes
from lang_models.encoder import data as texts

FILES = (
    "tatoeba_challenge_test", "udhr", "stellarium_skycultures", "quran_risan", "tico19",
    "debian_handbook", "aquifer_themes", "nextstrain_covid", "gnome", "raspberrypi_projects",
)  # fmt: skip
PAIRS = 3000  # per file
MIN_QUALITY = 0.2
MONTHS = "January February March April May June July August September October November December"
EGYPT = "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر".split()
LEVANT = (
    "كانون الثاني|شباط|آذار|نيسان|أيار|حزيران|تموز|آب|أيلول|تشرين الأول|تشرين الثاني|كانون الأول"
).split("|")
MAGHREB = "جانفي فيفري مارس أفريل ماي جوان جويلية أوت سبتمبر أكتوبر نوفمبر ديسمبر".split()
ARABIC = {
    1: "واحد", 2: "اثنان", 3: "ثلاثة", 4: "أربعة", 5: "خمسة", 6: "ستة", 7: "سبعة", 8: "ثمانية",
    9: "تسعة", 10: "عشرة", 11: "أحد عشر", 12: "اثنا عشر", 15: "خمسة عشر", 20: "عشرون",
    25: "خمسة وعشرون", 30: "ثلاثون", 40: "أربعون", 50: "خمسون", 60: "ستون", 80: "ثمانون",
}  # fmt: skip
ENGLISH = dict(zip(ARABIC, (
    "one two three four five six seven eight nine ten eleven twelve fifteen twenty twenty-five thirty "
    "forty fifty sixty eighty"
).split(), strict=True))  # fmt: skip
_ARABIC_MONTH = re.compile(rf"(?<![\u0621-\u064a])([وفبل]?)({'|'.join(EGYPT)})(?![\u0621-\u064a])")
_NUMBER = re.compile(r"(?<![\w.,:/#=-])\d+(?![\w.:/-])")


def variants(english: str, arabic: str, rng: random.Random):
    """Yield kind, English and Arabic of each way to write the months and one number of a pair."""
    if _ARABIC_MONTH.search(arabic) and re.search(rf"\b(?:{MONTHS.replace(' ', '|')})\b", english):

        def months(names, shift=0):
            return _ARABIC_MONTH.sub(
                lambda m: m[1] + names[(EGYPT.index(m[2]) + shift) % 12], arabic
            )

        both = [f"{a}/{b}" for a, b in zip(LEVANT, EGYPT, strict=True)]
        yield "right: months of the Levant", english, months(LEVANT)
        yield "right: two names of a month", english, months(both)
        yield "right: months of the Maghreb", english, months(MAGHREB)
        yield "wrong: months of Egypt", english, months(EGYPT, 5)
        yield "wrong: months of the Levant", english, months(LEVANT, 5)
    found = [{int(n) for n in _NUMBER.findall(side)} for side in (english, arabic)]
    common = [n for n in sorted(found[0] & found[1]) if n in ARABIC]
    if common:
        value = rng.choice(common)
        other = rng.choice([n for n in ARABIC if n != value])

        def put(text, new):
            return _NUMBER.sub(lambda m: new if int(m[0]) == value else m[0], text)

        yield "right: Arabic words", english, put(arabic, ARABIC[value])
        yield "right: English words", put(english, ENGLISH[value]), arabic
        yield "right: words on both sides", put(english, ENGLISH[value]), put(arabic, ARABIC[value])
        yield "wrong: Arabic words", english, put(arabic, ARABIC[other])
        yield "wrong: English words", put(english, ENGLISH[other]), arabic
        yield "wrong: words on both sides", put(english, ENGLISH[value]), put(arabic, ARABIC[other])
        yield "wrong: digits", english, put(arabic, str(other))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shared", type=Path, default=Path("../shared"))
    shared = parser.parse_args().shared
    rng = random.Random(3)
    paths = [shared / "bench" / "mt" / "flores_devtest.tsv"]
    paths += [shared / "parallel" / f"{name}.tsv" for name in FILES]
    rows = []
    for path in (path for path in paths if path.is_file()):
        pairs = [pair for pair in texts.pairs(path).rows() if pair[0].strip() and pair[1].strip()]
        start = rng.randrange(max(1, len(pairs) - PAIRS))
        pairs = pairs[start : start + PAIRS]
        for (english, arabic), (_, below) in zip(pairs, pairs[1:] + pairs[:1], strict=True):
            rows += [("right: as it is", english, arabic)]
            rows += [("right: as it is, FLORES", english, arabic)] * (path is paths[0])
            rows += [("wrong: next line", english, below)] * (below != arabic)
            words = arabic.split()
            if len(words) > 7:
                rows.append(("wrong: half", english, " ".join(words[: len(words) // 2])))
            rows += variants(english, arabic, rng)
    if not rows:
        sys.exit(f"no pairs under {shared}: cannot measure anything")
    frame = pl.DataFrame(rows, ["kind", "english", "arabic"], orient="row")
    alike = scoring.write_alike
    columns = {}
    for name, write in (
        ("before", lambda *sides: tuple(map(expand_magnitudes, sides))), ("after", alike),
    ):  # fmt: skip
        scoring.write_alike = write
        columns[name] = scoring.score(as_pairs(frame))["quality"] >= MIN_QUALITY
    shares = frame.with_columns(**columns).group_by("kind").agg(
        pl.len(), pl.col("before", "after").mean()
    )  # fmt: skip
    print("| pairs | number | before | after |\n|---|---|---|---|")
    for kind, n, before, after in shares.sort("kind").rows():
        print(f"| {kind} | {n} | {before:.3f} | {after:.3f} |")


if __name__ == "__main__":
    main()
