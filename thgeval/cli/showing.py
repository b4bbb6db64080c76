"""What reaches people: text on stdout, sentences on stderr."""

import os
import sys
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import click

from thgeval.errors import OutputError
from thgeval.files import trouble
from thgeval.printable import printable

PLAIN = str.maketrans(
    {
        "↑": "^",
        "↓": "v",
        "≈": "~",
        "·": ".",
        "…": "...",
        "±": "+-",
        "†": "=",
        "×": "x",
        "µ": "u",
        "°": " deg",
        "–": "-",
        "—": "-",
        "−": "-",
        "‘": "'",
        "’": "'",
        "“": '"',
        "”": '"',
        "≤": "<=",
        "≥": ">=",
        "√": "sqrt",
    }
)
"""What stands for signs that a console's encoding doesn't have; letters lose their accents."""


STANDS_FOR: dict[str, str] = {}
"""What is said in place of folders that stand for places elsewhere."""


def say_instead(folders: Iterable[tuple[Path, str]]) -> None:
    """Say from now on where such folders come from, as nobody knows them by their own names."""
    STANDS_FOR.update({str(folder): address.rstrip("/") for folder, address in folders})


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
    for folder, address in STANDS_FOR.items():
        sentence = sentence.replace(folder, address)
    click.echo(f"thgeval: {fitted(printable(sentence), getattr(sys.stderr, 'encoding', None))}", err=True)


def fitted(text: str, encoding: str | None) -> str:
    """Text with signs in ASCII where the encoding of a console has no others."""
    try:
        text.encode(encoding or "ascii")
    except UnicodeEncodeError:
        return "".join(_in(encoding or "ascii", character) for character in text.translate(PLAIN))
    except LookupError:
        return text
    return text


def _in(encoding: str, character: str) -> str:
    """A character as the encoding has it: itself, the letter without its accent, or still itself, to be spelt out."""
    for form in (character, unicodedata.normalize("NFKD", character)[0]):
        try:
            form.encode(encoding)
        except UnicodeEncodeError:
            continue
        return form
    return character
