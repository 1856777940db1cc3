"""The regular expressions of botocore's models, made to mean in Python what they mean in Java.

models.py compiles every pattern here. Python knows no Unicode categories, and its word characters and digits go beyond
ASCII where Java's do not.
"""

import re
import unicodedata
from functools import cache


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    r"""A pattern of the models for Python: `\p{L}` and its like are spelled out; `\w`, `\d` mean ASCII, as in Java."""
    pattern = re.sub(r"\[(?:\\.|[^\]\\])*\]", lambda found: _expanded(found.group(), True), pattern)
    return re.compile(_expanded(pattern, False), re.ASCII)


def _expanded(text: str, inside: bool) -> str:
    def category(found: re.Match[str]) -> str:
        return _ranges(found.group(1)) if inside else f"[{_ranges(found.group(1))}]"

    return re.sub(r"\\p\{([A-Z])\}", category, text)


@cache
def _ranges(category: str) -> str:
    """The characters of a Unicode category as ranges; everything beyond the basic plane is accepted."""
    found, start = [], None
    for code in range(0x10000):
        inside = unicodedata.category(chr(code))[0] == category and not 0xD800 <= code <= 0xDFFF
        if inside and start is None:
            start = code
        elif not inside and start is not None:
            found.append(f"\\u{start:04x}-\\u{code - 1:04x}")
            start = None
    if start is not None:
        found.append(f"\\u{start:04x}-\\uffff")
    return "".join(found) + "\\U00010000-\\U0010ffff"
