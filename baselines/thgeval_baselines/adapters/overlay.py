"""A view of a checkout that a script may write to: links to all that is in it, but for folders of its own.

Some scripts write beside their own files, or work on everything that lies in a folder. They get ``own`` folders of
this item alone, filled with links to what the checkout has there, except what ``leave_out`` names.
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath


def overlaid(checkout: Path, target: Path, *, own: Sequence[str], leave_out: Sequence[str]) -> Path:
    """Make the view in ``target``, which must not exist."""
    folders = {PurePosixPath(name) for name in own}
    inner = {parent for name in folders for parent in (name, *name.parents)} | {PurePosixPath()}
    for folder in sorted(inner, key=lambda each: len(each.parts)):
        (target / folder).mkdir(parents=True, exist_ok=True)
        here = checkout / folder
        for entry in sorted(here.iterdir()) if here.is_dir() else ():
            relative = folder / entry.name
            left_out = any(relative.match(pattern) for pattern in leave_out) or entry.name == ".git"
            if relative not in inner and not left_out:
                (target / relative).symlink_to(entry.resolve())
    return target


def brought(target: Path, copies: Mapping[str, str], inputs: Mapping[str, Path]) -> None:
    """Put copies of inputs where a script looks for them; ``copies`` are paths below the view by input."""
    for name, place in copies.items():
        if name in inputs:
            (target / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(inputs[name], target / place)
