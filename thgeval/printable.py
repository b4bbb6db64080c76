"""Names from anyone, as text that can't do anything to a terminal or a table.

A control character in one (an escape sequence, a bell, a line break, a mark that turns the direction of text) is shown
as its code, so that a name can't forge a line or a title.
"""

import unicodedata

HIDDEN = ("Cc", "Cf", "Zl", "Zp")
JOINERS = "\u200c\u200d"  # within words of many scripts


def printable(text: str) -> str:
    """Text with every character that isn't seen, or moves others, shown as its code."""
    if text.isprintable():
        return text
    return "".join(
        repr(mark)[1:-1] if unicodedata.category(mark) in HIDDEN and mark not in JOINERS else mark for mark in text
    )
