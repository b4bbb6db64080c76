"""What reaches people: text on stdout, sentences on stderr, and nothing that a name could do to a terminal.

Names of clips come from anyone. A control character in one (an escape sequence, a bell, a line break, a mark that
turns the direction of text) is shown as its code, so that a name can't forge a line or a title.
"""

import os
import sys
import unicodedata

import click

from thgeval.errors import OutputError
from thgeval.files import trouble

PLAIN = str.maketrans({"↑": "^", "↓": "v", "≈": "~", "·": ".", "–": "-", "…": "...", "±": "+-"})
"""What stands for signs that a console's encoding doesn't have."""
HIDDEN = ("Cc", "Cf", "Zl", "Zp")
JOINERS = "\u200c\u200d"  # within words of many scripts


def printable(text: str) -> str:
    """Text with every character that isn't seen, or moves others, shown as its code."""
    if text.isprintable():
        return text
    return "".join(
        repr(mark)[1:-1] if unicodedata.category(mark) in HIDDEN and mark not in JOINERS else mark for mark in text
    )


def show(text: str) -> None:
    """Print a result. A reader that has gone (``| head``) is no error; OutputError if it can't be written."""
    try:
        click.echo(fitted(text, getattr(sys.stdout, "encoding", None)))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        raise OutputError(f"stdout can't be written: {trouble(error)}") from error


def say(sentence: str) -> None:
    """Tell people something on stderr, on one line."""
    click.echo(f"thgeval: {printable(sentence)}", err=True)


def fitted(text: str, encoding: str | None) -> str:
    """Text with signs in ASCII where the encoding of a console has no others."""
    try:
        text.encode(encoding or "ascii")
    except UnicodeEncodeError:
        return text.translate(PLAIN)
    except LookupError:
        return text
    return text
