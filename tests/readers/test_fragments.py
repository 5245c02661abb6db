"""HTML in texts of tables, JSON and text files is recognised; a text about tags is not HTML."""

from __future__ import annotations

import json
import time

import pytest

import ingest
from ingest.readers.fragments import resolve_markup

# What each is as plain text, if it is HTML.
HTML = {
    "Rain is <b>expected</b> on Monday": "Rain is expected on Monday",
    "<strong>قرار جديد</strong><br>أعلنه المجلس أمس": "قرار جديد\nأعلنه المجلس أمس",
    "أول سطر<br>ثاني سطر": "أول سطر\nثاني سطر",
    "First line.<br/>Second line.<BR />Third line.": "First line.\nSecond line.\nThird line.",
    "The minister <a href='/m/4'>said</a> so": "The minister said so",
    "see <a href=https://x.example/a?b=1&c=2>this</a>": "see this",
    "<p>One.<p>Two.": "One.\nTwo.",
    "Intro text: <p>One paragraph</p><p>Another</p>": "Intro text:\nOne paragraph\nAnother",
    "<ul><li>milk<li>bread</ul>": "milk\nbread",
    "<table><tr><td>a</td></tr><tr><td>b</td></tr></table>": "a\nb",
    "<div class=\"c\"><span lang='ar'>نص</span></div>": "نص",
    "<em>Only</em>": "Only",
    "H<sub>2</sub>O is water": "H2O is water",
    "line one <i>of two</i>\nline two": "line one of two\nline two",
    "text <img src=\"a.png\" alt='x'> around an image": "text around an image",
    "a<br>\nb": "a\nb",
    "<!-- note --><p>text</p>": "text",
    "<script>if (a && b) { c(); }</script><p>The text</p>": "The text",
    "<style>p { color: red; }</style>\n<p>The text</p>": "The text",
    "<![CDATA[<p>Inside a section</p>]]>": "Inside a section",
    "&lt;p&gt;Escaped once&lt;/p&gt;": "Escaped once",
    "&lt;strong&gt;عنوان&lt;/strong&gt;&lt;br /&gt;نص": "عنوان\nنص",
    "&amp;lt;p&amp;gt;Escaped twice&amp;lt;/p&amp;gt;": "Escaped twice",
    "&#60;p&#62;Escaped by number&#60;/p&#62;": "Escaped by number",
    "&lt;p&gt;Tom &amp;amp; Jerry&lt;/p&gt;": "Tom & Jerry",
    "<p>We hire for our HTML and CSS team in Amman.</p>": "We hire for our HTML and CSS team in Amman.",
    "<h2>What tags are</h2><p>The <code>&lt;b&gt;</code> tag makes text bold.</p>":
        "What tags are\nThe <b> tag makes text bold.",
    "The new HTML5 player is here.<br><br>It plays everything.":
        "The new HTML5 player is here.\nIt plays everything.",
    "<p>cut off in the middle of a <b>word</b> or <i>tag": "cut off in the middle of a word or tag",
    "<blockquote>قال: لا</blockquote>ثم خرج": "قال: لا\nثم خرج",
    "<P><FONT COLOR=red>OLD PAGES SHOUT</FONT></P>": "OLD PAGES SHOUT",
    "before<hr>after": "before\nafter",
}  # fmt: skip
# What each is after entities are resolved, if it is not HTML.
TEXT = {
    "The <b> tag makes text bold": None,
    "Use <br> for a line break": None,
    "the `<p>` element, and `<div>`": None,
    "Wrap it in \"<b>\" and \"</b>\" tags": None,
    "استخدم الوسم <b> لتغليظ الخط": None,
    "if a < b and b > c, then a < c": None,
    "if (a<b && c>d) return;": None,
    "p<0.05 and q>0.1": None,
    "List<String> names = new ArrayList<>();": None,
    "vector<int> and Map<Key, List<Value>>": None,
    "#include <map>\n#include <vector>\nint main() { return 0; }": None,
    "mail me: <me@x.example> or <https://x.example/a>": None,
    "<TT>": None,
    "<3 you all, <33": None,
    "<user> hello\n<other> hi": None,
    "<sarcasm>Great.</sarcasm>": None,
    "AT&T and R&D, Q&A": None,
    "&copy in prose, and &c": None,
    "a & b; c &d; e": None,
    "http://x.example/?a=1&copy=2&lt=3": None,
    "x <- c(1, 2); y -> z": None,
    "I <3 <b": None,
    "return <div className=\"a\">{items.map(i => <b>{i}</b>)}</div>;": None,
    "Use &nbsp; or &amp; as an HTML entity": None,
    "`&lt;` is how < is escaped": None,
    "the &lt;b&gt; tag": "the <b> tag",
    "Tom &amp; Jerry": "Tom & Jerry",
    "قال: &quot;نعم&quot;&nbsp;ثم مضى": "قال: \"نعم\"\xa0ثم مضى",
    "&#1575;&#1604;&#x642;": "الق",
    "AT&amp;T": "AT&T",
    "it&#039;s &ldquo;here&rdquo; &ndash; now": "it's “here” – now",
    "&amp;nbsp;twice&amp;amp;more": "\xa0twice&more",
    "5 &lt; 6 &gt; 4": "5 < 6 > 4",
    "<![CDATA[plain & simple]]>": "plain & simple",
    "&notareal; entity": None,
    "line one &amp;\nline two": "line one &\nline two",
    '[caption id="a7" align="left"]صورة[/caption]نص الخبر': "صورة\nنص الخبر",
    'text\n[caption width="3"]an image[/caption]\nmore': "text\n\nan image\n\nmore",
    "[caption] and [/caption] are shortcodes": None,
    "": None,
}  # fmt: skip


def read(tmp_path, texts):
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    return ingest.read(path)


def test_fragments_are_rendered(tmp_path):
    documents = read(tmp_path, HTML)
    seen = dict(zip(HTML, documents["text"], strict=True))
    assert seen == HTML
    assert documents["media_type"].unique().to_list() == ["text/html"]


def test_texts_that_mention_markup_are_not_touched(tmp_path):
    documents = read(tmp_path, TEXT)
    seen = dict(zip(TEXT, documents["text"], strict=True))
    assert seen == {text: text if plain is None else plain for text, plain in TEXT.items()}
    assert documents["media_type"].unique().to_list() == ["text/plain"]


@pytest.mark.parametrize("text", [text for text in HTML if "<br" in text.lower() or "</p>" in text])
def test_fragments_in_text_files(tmp_path, text):
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    assert ingest.read(tmp_path)["text"].item() == HTML[text]


@pytest.mark.parametrize("text", [*TEXT, "Use <b>one</b> pair in a sentence", "<p>never closed"])
def test_text_files_keep_their_characters(tmp_path, text):
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    if "CDATA" not in text and "caption" not in text:
        assert ingest.read(tmp_path)["text"].item() == text


@pytest.mark.parametrize(
    "text",
    ["<b>" * 300_000, "<b><i>" * 100_000 + "</b>" * 100_000, "&amp;" * 200_000, "<a b=" * 200_000,
     "<a " + "b " * 500_000, "&" + "amp;" * 200_000, "<script>" * 100_000, "<!--" * 200_000,
     "&lt;" * 300_000, "<br>\n" * 200_000, "\n \t" * 300_000 + "<b>x</b>", "[caption a=1]" * 25_000 + "[/", "<![CDATA[" * 99_999],
)  # fmt: skip
def test_hostile_texts_take_linear_time(text):
    began = time.thread_time()
    resolve_markup(text, entities=True)
    assert time.thread_time() - began < 2


def test_the_reported_files(shared):
    folder = shared / "cases" / "reading"
    if not folder.is_dir():
        pytest.skip("no ../shared/cases/reading")
    for name in ("r21_htmlcol", "r19_entities/html_in_text.csv", "r19_entities/light.jsonl"):
        for text in ingest.read(folder / name)["text"]:
            marks = ("<", ">", "&quot;", "&lt;", "&nbsp;", "&#", "[caption")
            assert not any(mark in text for mark in marks)
