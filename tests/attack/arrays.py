"""Arrays as clips: pickles, shapes that nobody has, bombs, names that slip out."""

import io
import os
import pickle
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
from support.clips import moving
from support.zeros import repeating, write_zeros

from attack.cases import FRAMES, SIZE, Case, Rng, Sides
from attack.media import HOW, damage


class Code:
    """What runs if it is ever unpickled."""

    def __reduce__(self):
        return os.mkdir, (str(Path.cwd() / "unpickled"),)


def npy(shape: object, descr: str = "|u1", content: bytes = b"", order: object = False, version: int = 1) -> bytes:
    """An array file that says of itself what it is told to say."""
    text = f"{{'descr': {descr!r}, 'fortran_order': {order!r}, 'shape': {shape!r}, }}\n".encode()
    return b"\x93NUMPY" + bytes([version, 0]) + len(text).to_bytes(2 if version == 1 else 4, "little") + text + content


def saved(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def zipped(members: dict[str, bytes | tuple[bytes, int]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of files; those that are followed by many zeros are given with their number."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, given in members.items():
            content, zeros = given if isinstance(given, tuple) else (given, 0)
            with archive.open(name, "w", force_zip64=True) as member:
                if zeros:
                    repeating(member, method)
                member.write(content)
                write_zeros(member, zeros >> 20)
    return buffer.getvalue()


def marked(content: bytes, at: int, value: int) -> bytes:
    """A zip file whose members' headers say something else at a place: flags are at 6, the method at 8."""
    data = bytearray(content)
    for mark, shift in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):
        if mark in data:
            data[data.index(mark) + at + shift] = value
    return bytes(data)


def odd_arrays(good: np.ndarray) -> dict[str, bytes]:
    """Arrays that hold, or say, what no clip has."""
    floats = good.astype(np.float32) / 255
    nan, wild = floats.copy(), floats.copy()
    nan[0, 0, 0, 0], wild[0, 0, 0, 0] = np.nan, 1e30
    return {
        "pickle": b"\x93NUMPY\x01\x00" + npy((1,), "|O")[8:] + pickle.dumps([Code()]),
        "bare pickle": pickle.dumps(Code()),
        "NaN": saved(nan),
        "wild": saved(wild),
        "negative": npy((-1, 8, 8, 3)),
        "huge": npy((10**30, 8, 8, 3)),
        "wraps": npy((2**62, 4, 4, 3)),
        "many": npy((10**6, 1, 1, 3), content=bytes(3 * 10**6)),
        "wide": npy((1, 10**6, 10**6, 3)),
        "code": npy("__import__('os').mkdir('unpickled')"),
        "deep": b"\x93NUMPY\x02\x00" + (9000).to_bytes(4, "little") + b"(" * 9000,
        "version 3": npy((2, 8, 8, 3), version=3, content=bytes(384)),
        "no dimensions": saved(np.array(3)),
        "text": saved(np.array(["a"] * 3)),
        "dates": saved(np.zeros((2, 8, 8, 3), "<M8[s]")),
        "complex": saved(good.astype(complex)),
        "fields": saved(np.zeros((2, 8), [("a", "u1"), ("b", "f4")])),
        "7 axes": saved(np.zeros((1,) * 7, np.uint8)),
        "none": saved(good[:0]),
        "two channels": saved(good[..., :2]),
        "too short": saved(good)[:-5],
    }


def arrays(rng: Rng, count: int) -> list[Case]:
    """Clips as arrays and archives."""
    good = moving(FRAMES, SIZE)
    plain = odd_arrays(good)
    files = {f"{label}.npy": content for label, content in plain.items()}
    files |= {f"{label}.npz": zipped({"frames.npy": content}) for label, content in plain.items()}
    inner = saved(good)
    whole = zipped({"frames.npy": inner})
    many = {f"{number}.npy": inner for number in range(300)}
    files |= {
        "bomb.npz": zipped({"frames.npy": (npy((700, 1000, 1000, 1)), 700 << 20)}),
        "liar.npz": zipped({"frames.npy": (npy((2, 8, 8, 3)), 64 << 20)}),
        "slip.npz": zipped({"../../outside.npy": inner, "/tmp/outside.npy": inner, "frames.npy": inner}),
        "encrypted.npz": marked(whole, 6, 1),
        "method 77.npz": marked(whole, 8, 77),
        "many.npz": zipped(many),
        "fps NaN.npz": zipped({"frames.npy": inner, "fps.npy": saved(np.array(np.nan))}),
        "fps huge.npz": zipped({"frames.npy": inner, "fps.npy": saved(np.array(1e300))}),
        "fps tiny.npz": zipped({"frames.npy": inner, "fps.npy": saved(np.array(1e-300))}),
        "fps bomb.npz": zipped({"frames.npy": inner, "fps.npy": (npy((10**9,)), 1 << 20)}),
        "peak -1.npz": zipped({"frames.npy": inner, "peak.npy": saved(np.array(-1.0))}),
        "peak text.npz": zipped({"frames.npy": inner, "peak.npy": saved(np.array("white"))}),
        "empty.npz": zipped({}),
        "zip in zip.npz": zipped({"frames.npy": whole}),
    }
    made = [Case(name, partial(_array, content=content, suffix=name[-4:])) for name, content in files.items()]
    for number in range(count - len(made)):
        how, suffix = HOW[number % len(HOW)], (".npy", ".npz")[number % 2]
        content = damage(rng, inner if suffix == ".npy" else whole, how)
        made.append(Case(f"{how} {suffix}", partial(_array, content=content, suffix=suffix)))
    return made[:count] if count >= len(files) else [made[place] for place in rng.permutation(len(files))[:count]]


def _array(sides: Sides, name: str, *, content: bytes, suffix: str) -> None:
    (sides.pred / f"{name}{suffix}").write_bytes(content)
    (sides.gt / f"{name}.npy").write_bytes(saved(moving(FRAMES, SIZE, 1)))
