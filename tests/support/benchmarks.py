"""Clips that lie as data sets do, and protocols of the user's own."""

import json

import thgeval
from support.clips import moving, write_clip

PSNR = ["psnr"]
RATE_HZ = 16000


def clips(folder, names, frames=12, size=64, seed=0, fps=25):
    """Small clips under these names, each moving in its own way."""
    for number, name in enumerate(names):
        path = folder / f"{name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_clip(path, moving(frames, size, seed=number, noise=seed), fps=fps)
    return folder


def own(folder, **fields):
    """A protocol of the user's own in a file."""
    path = folder / "mine.toml"
    tables = {name: fields.pop(name) for name in ("list", "draw") if name in fields}
    lines = [f"{name} = {json.dumps(value)}" for name, value in {"name": "mine", **fields}.items()]
    for name, table in tables.items():
        lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    path.write_text("\n".join(lines) + "\n")
    return path


def scored(generated, reference, path, **more):
    return thgeval.evaluate(generated, reference, metrics=more.pop("metrics", PSNR), protocol=str(path), **more)
