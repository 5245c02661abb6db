"""Take out of a text what is the same in every language: URLs, placeholders, code, mentions.

Their letters say nothing about the script that a text is written in.
"""

from __future__ import annotations

import polars as pl

# Everything but the content of backticks, URLs, hashtags and mentions is ASCII: Arabic letters
# inside braces are text. The lengths are limited so that a stray mark does not take a whole text.
_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_SPANS = (
    r"`[^`\n]{1,200}`",
    r"(?i:<(?:code|pre|kbd|samp|tt|var)\b[^<>]{0,200}>[^<>]{0,200}</[a-z]{2,4}>)",
    r"</?[A-Za-z!][^<>]{0,200}>",
    r"&(?:[A-Za-z]{2,12}|#[0-9]{1,6});",
    r"""(?i:\b(?:https?|ftp|file|mailto)|https?):(?://)?[^\s<>"«»“”،؛؟]{3,}""",
    r"""(?i:www)\.[^\s<>"«»“”،؛؟]{3,}""",
    r"[A-Za-z0-9_.+%\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+",
    # %(count)d, %1$s, %-5.2f, {{ name or 'x' }}, %{name}, ${name}, {0}, {name:>5}
    r"%\([A-Za-z0-9_. ]{1,60}\)[#0+\-]?[0-9.]*[A-Za-z]?",
    r"%[0-9]*\$?[#0+\-]?[0-9.]*(?:ll?)?[A-Za-z@]\b",
    r"\{\{[ -z]{1,200}\}\}",
    r"[$%#]?\{+ ?[A-Za-z0-9_.$:>\-|/\[\]()]{1,60} ?\}+",
    rf"\\{_NAME}\*?(?:\{{[A-Za-z0-9*]{{1,40}}\}})*",  # \begin{align}
    r"[@#][\p{L}\p{M}\p{N}_]+",
    # --option, /path/to, ~/file, a_name, $name, a::b, name(), os.path, example.org
    r"--?[A-Za-z][A-Za-z0-9\-]*",
    r"~?(?:/[A-Za-z0-9_.\-]+){2,}/?",
    rf"[A-Za-z0-9.]*\$[A-Za-z0-9_]+|{_NAME}(?:::{_NAME})+|{_NAME}\(\)",
    r"[A-Za-z0-9.]*[A-Za-z0-9]_[A-Za-z0-9_]+",
    r"[A-Za-z0-9\-]+(?:\.[A-Za-z][A-Za-z0-9\-]+)+",
)
_SPAN = "|".join(f"(?:{span})" for span in _SPANS)
LETTER = r"[\p{L}--\p{Zyyy}]"
"""Pattern of a letter that belongs to a script: the tatweel, among others, belongs to none."""


def without_code(text: pl.Expr) -> pl.Expr:
    """Replace each URL, e-mail address, placeholder, tag, piece of code or mention by a space.

    >>> text = "زر موقع ${product} على https://example.org أو `git pull` و%(n)d ملفات"
    >>> pl.select(without_code(pl.lit(text)).str.split(" ").list.join(" ")).item().split()
    ['زر', 'موقع', 'على', 'أو', 'و', 'ملفات']
    """
    return text.str.replace_all(_SPAN, " ")
