r"""Text made safe to show: what came from a caller or from AWS, on its way into a sentence or a line of the log.

Everything that steers a terminal, ends a line, hides or turns what is around it, or is half a character becomes its
escape in JSON's spelling, such as `\u001b`. Letters, marks and spaces of every language stay as they are.
"""

from __future__ import annotations

import json
import unicodedata


def legible(text: str) -> str:
    """The text without anything that is not to be seen. What is legible already comes back as it is."""
    if text.isprintable():
        return text
    return "".join(each if _seen(each) else json.dumps(each)[1:-1] for each in text)


def _seen(character: str) -> bool:
    # Python calls a no-break or an ideographic space unprintable; names of people have them.
    return character.isprintable() or unicodedata.category(character) == "Zs"
