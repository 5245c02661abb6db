"""A page that passes the quick look needs no limits."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.readers import html_limits
from ingest.readers.html_limits import limit_nesting

_TAGS = st.sampled_from([
    "<div>", "</div>", "<b>", "</b>", "<b>x</b>", "<span>", "</span>", "<table>", "</table>", "<td>",
    "</td>", "<object>", "</object>", "<p>", "</p>", "<br>", "<font size=1>", "</font>", "<!--", "-->",
    "<textarea>", "</textarea>", "<a title='</div>'>", "</a>", "x", "<body>", "<p a b=1 c='>'>",
])  # fmt: skip


@settings(max_examples=10 * settings.default.max_examples)
@given(st.lists(_TAGS, max_size=30))
def test_the_quick_look_agrees_with_the_full_one(tags):
    html = "".join(tags)
    # An element that is closed at once may stand inside _SAFE_TAGS open ones.
    limits = {"_MAX_DEPTH": 5, "_MAX_FORMATTING": 2, "_MAX_ROOT_TAGS": 2, "_SAFE_TAGS": 4,
              "_SAFE_FORMATTING_TAGS": 0, "_SAFE_REOPENED": 2}  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        for name, value in limits.items():
            patch.setattr(html_limits, name, value)
        assert not html_limits._is_safe(html) or html_limits._limit(html) == [html]


@pytest.mark.parametrize(
    "attributes",
    [
        " ".join(f"a{n}" for n in range(9_000)),
        "/".join(f"a{n}" for n in range(9_000)),
        "".join(f"a{n}='>'" for n in range(9_000)),
        "".join(f'a{n}="<b>"' for n in range(9_000)),
        "x" * 5_000 + "".join(f" a{n} = 1" for n in range(9_000)),
        "x=" + "y" * 5_000 + "".join(f"\na{n}" for n in range(9_000)),
    ],
    ids=lambda attributes: attributes[:9],
)
@pytest.mark.parametrize("around", ["{}", "<svg><style>{}</style>", "<script>{}</script>"])
def test_a_tag_with_thousands_of_attributes_is_always_found(attributes, around):
    html = around.format(f"<p {attributes}>")
    assert not html_limits._is_safe(html)
    (limited,) = limit_nesting(html)
    if "script" not in around:  # there, it is no tag
        assert "a8999" not in limited


@pytest.mark.parametrize(
    "value", ["'" + "x " * 50_000 + "'", '"data:image/png;base64,' + "Aa/" * 50_000 + '"']
)
def test_a_long_value_is_kept(value):
    html = f"<p class=a title={value} id=b>x"
    assert limit_nesting(html) == [html]
