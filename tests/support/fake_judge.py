"""A fake checkout for metrics that rest on one: it answers with the JSON file beside the clip, ``CLIP.NAME.json``."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from support.clips import moving, write_clip
from thgeval.requirements import programs

SCRIPT = """
import pathlib, sys
clip, out, name = sys.argv[1:]
out = pathlib.Path(out)
out.write_bytes(pathlib.Path(clip).with_suffix(f".{name}.json").read_bytes())
"""


def checkout(home: Path, name: str, more: str = "", script: str = SCRIPT) -> None:
    """Put a checkout of this name into a THGEVAL_HOME."""
    place = home / "checkouts" / name
    place.mkdir(parents=True, exist_ok=True)
    (place / "judge.py").write_text(script)
    command = [sys.executable, "-S", "judge.py", "{clip}", "{out}", name]
    (place / programs.RECIPE).write_text(f"command = {json.dumps(command)}\n{more}")


def judged(folder: Path, name: str, answers: Mapping[str, object]) -> Path:
    """Write clips, and what the checkout will say of each, as JSON unless it is a text; the folder."""
    folder.mkdir(exist_ok=True)
    for clip, answer in answers.items():
        write_clip(folder / f"{clip}.mp4", moving(2))
        (folder / f"{clip}.{name}.json").write_text(answer if isinstance(answer, str) else json.dumps(answer))
    return folder
