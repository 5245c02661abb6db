"""Number the articles of each page."""

from __future__ import annotations

import numpy as np
import polars as pl

from ingest._typing import F64, I64, Bools
from ingest.codepoints import Words
from ingest.key_table import KeyTable
from ingest.labelling.network import LISTING, OUTPUTS
from ingest.page_spans import PageSpans, combine_keys
from ingest.roles import BOILERPLATE_ROLES

# Two headlines with no text between them belong to one story if they share this part of the words
# of the shorter one: a <title> and its <h1> differ by the name of the site.
_SAME_HEADLINE = 0.6
# A headline inside running text starts no new story if the blocks before and after it share this
# part of their distinct content words, and both have enough words to judge.
_SAME_TOPIC = 0.25
_MIN_TOPIC_WORDS = 60
# A headline in the other script belongs to the same story if the two texts share their numbers.
_SAME_NUMBERS = 0.4
_MIN_NUMBERS = 2
_BODY, _HEADLINE = map(OUTPUTS.index, ("body", "headline"))
# Code left from scraping belongs to no article; a listing does.
_IN_NO_ARTICLE: Bools = np.isin(OUTPUTS, [*BOILERPLATE_ROLES, "code"])
_IN_NO_ARTICLE[LISTING] = False
# Strings typical of scripts and markup that were scraped with the text.
_SCRIPT = ["document.", "window.", "</", "&nbsp;", "{{", "');", "function(", "googletag", '":{']


def find_script_debris(segments: pl.DataFrame) -> Bools:
    """Find segments that are script or markup and contain no language.

    >>> frame = pl.DataFrame({"text": ["'); document.write('", "ls -l"], "lang": ["zxx", "zxx"]})
    >>> find_script_debris(frame).tolist()
    [True, False]
    """
    rows = segments.select("text", "lang").with_row_index("row").filter(pl.col("lang") == "zxx")
    debris = np.zeros(len(segments), bool)
    debris[rows.filter(pl.col("text").str.contains_any(_SCRIPT))["row"].to_numpy()] = True
    return debris


def number_articles(
    segments: pl.DataFrame,
    chosen: I64,
    is_duplicate: Bools,
    *,
    lesser: Bools,
    pages: PageSpans,
    words: Words,
) -> tuple[I64, Bools]:
    """Number the articles of each page 1, 2, … in order; 0 is boilerplate.

    A headline opens the next article, unless it repeats or varies the headline before it, gives
    the same story in the other language of a bilingual page, or continues the topic. A lesser one
    opens an article only if enough text shows that the topic is another. Listings belong to the
    article that surrounds them.

    Args:
        segments: the column script, in page order.
        chosen: the role of each segment, as a number of `network.OUTPUTS`.
        is_duplicate: whether a segment repeats an earlier one of its page.
        lesser: headlines in lower headings than the main one of their page.
        pages: the pages of the batch.
        words: the content words of all segments.

    Returns:
        The article of each segment: int64 [segments]; and whether it opens it: bool [segments].
    """
    opens = _opens_article(segments, chosen, is_duplicate, lesser, pages=pages, words=words)
    count = np.cumsum(opens)
    before_page = np.append(0, count)[pages.first]
    # Text above the first headline belongs to the first article.
    article = np.maximum(count - before_page[pages.page], 1)
    return np.where(_IN_NO_ARTICLE[chosen], 0, article).astype(np.int64), opens


def _opens_article(
    segments: pl.DataFrame,
    chosen: I64,
    is_duplicate: Bools,
    lesser: Bools,
    *,
    pages: PageSpans,
    words: Words,
) -> Bools:
    """Which segments open an article."""
    n = len(chosen)
    headlines = np.flatnonzero((chosen == _HEADLINE) & ~is_duplicate)
    opens = np.zeros(n, bool)
    if not len(headlines):
        return opens
    first_of_page = np.r_[True, pages.page[headlines][1:] != pages.page[headlines][:-1]]
    # A block is a headline and what follows it: numbered from 1, 0 before the first headline.
    block: I64 = np.cumsum(np.isin(np.arange(n), headlines))
    # Text above a page's first headline belongs to no block, nor to that of the page before.
    on_page = (block > 0) & (pages.page[headlines[block - 1]] == pages.page)
    body = (chosen == _BODY) & on_page
    bodies = np.bincount(block, weights=body, minlength=len(headlines) + 1)
    adjacent = bodies[:-1] == 0  # no text between the headline before and this one
    adjacent[0] = False

    arabic = (segments["script"] == "Arab").to_numpy()[headlines]
    other_script = np.r_[False, arabic[1:] != arabic[:-1]]

    in_headline = np.isin(words.text, headlines)
    in_body = body[words.text]
    blocks = len(headlines) + 1
    headline_overlap, _ = _overlap(block, words, in_headline, blocks)
    topic_overlap, topic_words = _overlap(block, words, in_body, blocks)
    number_overlap, numbers = _overlap(block, words, in_body & words.is_number, blocks)
    same_topic = (topic_overlap >= _SAME_TOPIC) & (topic_words >= _MIN_TOPIC_WORDS)
    other_topic = (topic_overlap < _SAME_TOPIC) & (topic_words >= _MIN_TOPIC_WORDS)
    translated = (number_overlap >= _SAME_NUMBERS) & (numbers >= _MIN_NUMBERS)
    # The first line of a page is its title if no text follows it, whatever its words.
    after_title = np.r_[False, pages.position[headlines][:-1] == 0] & adjacent
    same_story = (
        (headline_overlap >= _SAME_HEADLINE)
        | (other_script & (adjacent | translated))
        | same_topic
        | after_title
    )
    opens[headlines] = (first_of_page | ~same_story) & (other_topic | ~lesser[headlines])
    return opens


def _overlap(block: I64, words: Words, mask: Bools, blocks: int) -> tuple[F64, I64]:
    """Compare the distinct marked words of each block with those of the block before it.

    Returns:
        The share of the words of the smaller block that both have, and the size of the smaller
        block; for each block except the first.
    """
    owner, word = block[words.text[mask]], words.key[mask]
    pairs = combine_keys(word, owner)
    order = np.argsort(pairs)
    pairs = pairs[order]
    once = np.r_[True, pairs[1:] != pairs[:-1]][: len(pairs)]
    pairs, owner, word = pairs[once], owner[order[once]], word[order[once]]
    size = np.bincount(owner, minlength=blocks)
    shared = KeyTable(pairs).find(combine_keys(word, owner - 1))[1]
    common = np.bincount(owner, weights=shared, minlength=blocks)
    smaller = np.minimum(size, np.r_[0, size[:-1]])
    return (common / np.maximum(smaller, 1))[1:], smaller[1:]
