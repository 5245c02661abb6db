"""Which article of its page each segment belongs to."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ingest import phrases
from ingest._typing import I64, Bools
from ingest.codepoints import Words
from ingest.frames import BOILERPLATE_ROLES
from ingest.page_spans import Pages, paired

# Two headlines with no text between them are one story's when so much of the shorter one stands
# in the longer: a <title> line and its <h1> differ by the name of the site.
_SAME_HEADLINE = 0.6
# A headline inside running text starts no story when so much of what follows, in distinct content
# words, stood in the text before, and both blocks are long enough to tell.
_SAME_TOPIC = 0.25
_TELLING_WORDS = 60
# A headline in the other script tells the same story when the two texts share their numbers.
_SAME_NUMBERS = 0.4
_TELLING_NUMBERS = 2
# What a page's own scripts and markup say when they are scraped with the text.
_SCRIPT = ["document.", "window.", "</", "&nbsp;", "{{", "');", "function(", "googletag", '":{']


def script_debris(segments: pl.DataFrame) -> Bools:
    """Which segments are script or markup with no language in them.

    >>> frame = pl.DataFrame({"text": ["'); document.write('", "ls -l"], "lang": ["zxx", "zxx"]})
    >>> script_debris(frame).tolist()
    [True, False]
    """
    found: Bools = segments.select(
        (pl.col("lang") == "zxx") & pl.col("text").str.contains_any(_SCRIPT)
    )["lang"].to_numpy()
    return found


def number_articles(
    segments: pl.DataFrame,
    role: NDArray[np.str_],
    repeated: Bools,
    debris: Bools,
    *,
    pages: Pages,
    words: Words,
) -> I64:
    """0 for furniture, else 1, 2, … in order of appearance in the page: int64 [segments].

    A headline opens the next article, unless it repeats or varies the headline before it, stands
    on a bilingual page as the other language's headline of the same story, or goes on with the
    topic. Listings and commands belong to an article that surrounds them.

    Args:
        segments: the column script, in page order.
        role: role of each segment.
        repeated: whether a segment repeats an earlier one of its page.
        debris: what `script_debris` finds.
        pages: where the pages lie.
        words: the words of all segments that carry content.
    """
    opens = _opens(segments, role, repeated, pages, words)
    count = np.cumsum(opens)
    before = np.append(0, count)[pages.first]
    # what stands above the first headline belongs to the first article
    article = np.maximum(count - before[pages.page], 1)
    listing = ~debris & _inside(role, pages)
    furniture = np.isin(role, BOILERPLATE_ROLES) | ((role == "code") & ~listing)
    return np.where(furniture, 0, article).astype(np.int64)


def _opens(
    segments: pl.DataFrame,
    role: NDArray[np.str_],
    repeated: Bools,
    pages: Pages,
    words: Words,
) -> Bools:
    """Which segments open an article."""
    n = len(role)
    headline = role == "headline"
    fresh = np.flatnonzero(headline & ~repeated)
    opens = np.zeros(n, bool)
    if not len(fresh):
        return opens
    first_of_page = np.r_[True, pages.page[fresh][1:] != pages.page[fresh][:-1]]
    block: I64 = np.cumsum(np.isin(np.arange(n), fresh))  # 1-based; 0 before any
    # what stands above a page's first headline belongs to no block, and not to the page before
    ours = (block > 0) & (pages.page[fresh[block - 1]] == pages.page)
    body = (role == "body") & ours
    bodies = np.bincount(block, weights=body, minlength=len(fresh) + 1)
    bare = bodies[:-1] == 0  # no text between the headline before and this one
    bare[0] = False

    arab = (segments["script"] == "Arab").to_numpy()[fresh]
    other_script = np.r_[False, arab[1:] != arab[:-1]]

    named = np.isin(words.text, fresh)
    told = body[words.text]
    blocks = len(fresh) + 1
    alike, _ = _shared(block, words, named, blocks)
    topic, telling = _shared(block, words, told, blocks)
    numbers, counted = _shared(block, words, told & words.number, blocks)
    goes_on = (topic >= _SAME_TOPIC) & (telling >= _TELLING_WORDS)
    translated = (numbers >= _SAME_NUMBERS) & (counted >= _TELLING_NUMBERS)
    # a line at the very top with no text of its own is the page's title, whatever it says
    titled = np.r_[False, pages.place[fresh][:-1] == 0] & bare
    same = (alike >= _SAME_HEADLINE) | (other_script & (bare | translated)) | goes_on | titled
    opens[fresh] = first_of_page | ~same
    return opens


def _shared(
    block: I64, words: Words, mask: Bools, blocks: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """For each block but the first, how far its distinct words stand in the block before it.

    Of the two blocks, the one with fewer words is the measure; its size is the second result.
    """
    of, word = block[words.text[mask]], words.key[mask]
    pairs, once = np.unique(paired(word, of), return_index=True)
    of, word = of[once], word[once]
    size = np.bincount(of, minlength=blocks)
    found = phrases.look_up(paired(word, of - 1), pairs)[1]
    common = np.bincount(of, weights=found, minlength=blocks)
    smaller = np.minimum(size, np.r_[0, size[:-1]])
    return (common / np.maximum(smaller, 1))[1:], smaller[1:]


def _inside(role: NDArray[np.str_], pages: Pages) -> Bools:
    """Whether running text stands near, above and below, on the same page."""
    n = len(role)
    text = np.isin(role, ("body", "subheading"))
    row = np.arange(n)
    above = np.maximum.accumulate(np.where(text, row, -1)) if n else row
    below = np.minimum.accumulate(np.where(text, row, n)[::-1])[::-1] if n else row
    return (above >= pages.first[pages.page]) & (below <= pages.last[pages.page])
