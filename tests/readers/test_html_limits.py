"""A page that is taken for flat needs no limits."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.readers import html_limits
from ingest.readers.html_limits import limit_nesting

_TAGS = st.sampled_from([
    "<div>", "</div>", "<b>", "</b>", "<span>", "</span>", "<table>", "</table>", "<td>", "</td>",
    "<object>", "</object>", "<p>", "</p>", "<br>", "<font size=1>", "</font>", "<!--", "-->",
    "<textarea>", "</textarea>", "<script>", "</script>", "<a title='</div>'>", "</a>", "x", "<body>",
])  # fmt: skip


def limited_in_full(html: str) -> str:
    flat = html_limits._is_flat
    html_limits._is_flat = lambda _html: False
    try:
        return limit_nesting(html)
    finally:
        html_limits._is_flat = flat


@settings(max_examples=400)
@given(st.lists(_TAGS, max_size=30))
def test_the_quick_look_agrees_with_the_full_one(tags):
    html = "".join(tags)
    limits = {"_MAX_DEPTH": 4, "_MAX_FORMATTING": 2, "_MAX_ROOT_TAGS": 2, "_SAFE_TAGS": 0}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in limits.items():
            patch.setattr(html_limits, name, value)
        assert limit_nesting(html) == limited_in_full(html)


@pytest.mark.parametrize(
    "unit",
    ["<span><div></span></div>", "<div><object></div></object>", "<div><textarea></div></textarea>",
     "<div><!--</div>-->", "<div title='</div>'>"],
)  # fmt: skip
def test_end_tags_that_close_nothing_do_not_make_a_page_flat(unit):
    assert not html_limits._is_flat(unit * 600)
