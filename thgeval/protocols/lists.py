"""Lists of clips: those that ship."""

from functools import cache
from importlib.resources import files


@cache
def shipped_ids(name: str) -> tuple[str, ...]:
    """The ids of a list that ships, one on each line; lines that begin with ``#`` say where it is from."""
    lines = files("thgeval").joinpath(f"protocols/lists/{name}.txt").read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))
