"""Hostile files beside good clips, and hostile names of good clips and broken ones."""

import io
import json
import os
import unicodedata
import zipfile
from functools import partial

import numpy as np
from support import views

from attack.arrays import marked, npy, odd_arrays, saved, zipped
from attack.cases import FRAMES, SIZE, Case, Rng, Sides, video
from attack.media import HOW, PLACES, damage, put


def _beside(sides: Sides, name: str, *, suffix: str, content: bytes | str) -> None:
    sides.pair(name)
    path = sides.pred / f"{name}{suffix}"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        put(path, content)


def _cases(rng: Rng, count: int, suffix: str, files: dict[str, bytes], sound: bytes) -> list[Case]:
    """Each file that was made, then each thing that is no file, then the sound file in every way that files break."""
    made: list[tuple[str, bytes | str]] = [*files.items(), *((what, what) for what in PLACES)]
    made = [made[place] for place in rng.permutation(len(made))]
    for number in range(max(0, count - len(made))):
        how = HOW[number % len(HOW)]
        made.append((how, damage(rng, sound, how)))
    return [Case(f"{label} {suffix}", partial(_beside, suffix=suffix, content=what)) for label, what in made[:count]]


def faces(rng: Rng, count: int) -> list[Case]:
    """``CLIP.faces.npz``."""
    points = saved(rng.uniform(0, SIZE, (FRAMES, 68, 2)))
    size = saved(np.array([SIZE, SIZE]))
    whole = zipped({"landmarks_px.npy": points, "size_px.npy": size})
    files = {
        label: zipped({"landmarks_px.npy": content, "size_px.npy": size})
        for label, content in odd_arrays(np.zeros((FRAMES, 68, 2, 3), np.uint8)).items()
    }
    files |= {
        "bomb": zipped({"landmarks_px.npy": (npy((10**6, 68, 2), "<f8"), 400 << 20), "size_px.npy": size}),
        "unknown bomb": zipped({"landmarks_px.npy": points, "other.npy": (npy((4 << 30,), "|u1"), 400 << 20)}),
        "encrypted": marked(whole, 6, 1),
        "method 77": marked(whole, 8, 77),
        "no size": zipped({"landmarks_px.npy": points}),
        "size 0": zipped({"landmarks_px.npy": points, "size_px.npy": saved(np.zeros(2))}),
        "size NaN": zipped({"landmarks_px.npy": points, "size_px.npy": saved(np.full(2, np.nan))}),
        "infinite": zipped({"landmarks_px.npy": saved(np.full((FRAMES, 68, 2), np.inf)), "size_px.npy": size}),
        "far": zipped({"landmarks_px.npy": saved(np.full((FRAMES, 68, 2), 1e300)), "size_px.npy": size}),
        "all one": zipped({"landmarks_px.npy": saved(np.ones((FRAMES, 68, 2))), "size_px.npy": size}),
        "all missing": zipped({"landmarks_px.npy": saved(np.full((FRAMES, 68, 2), np.nan)), "size_px.npy": size}),
        "empty": zipped({}),
    }
    return _cases(rng, count, ".faces.npz", files, whole)


def bundles(rng: Rng, count: int) -> list[Case]:
    """``CLIP.views.npz``."""
    good = views.bundle()

    def with_(**changed: object) -> bytes:
        return zipped({f"{key}.npy": saved(np.asarray(value)) for key, value in {**good, **changed}.items()})

    nan = {key: np.full_like(value, np.nan) for key, value in good.items() if value.dtype.kind == "f"}
    files = {
        **{f"NaN {key}": with_(**{key: value}) for key, value in nan.items()},
        **{f"zero {key}": with_(**{key: np.zeros_like(value)}) for key, value in good.items()},
        **{f"large {key}": with_(**{key: value * 1e200}) for key, value in good.items() if value.dtype.kind == "f"},
        "one view": with_(images=good["images"][:1]),
        "other sizes": with_(depth=good["depth"][:, :3]),
        "no pixels": with_(**{key: good[key][:, :0] for key in ("depth", "points", "weights")}),
        "bomb": zipped({"images.npy": (npy((4, 9000, 9000, 3)), 300 << 20)}),
    }
    return _cases(rng, count, ".views.npz", files, with_())


def rows(rng: Rng, count: int) -> list[Case]:
    """``CLIP.avhubert.npz``."""
    model = saved(np.array("large"))
    good = saved(rng.normal(size=(FRAMES, 8)).astype(np.float32))
    whole = zipped({"video.npy": good, "audio.npy": good, "joint.npy": good, "model.npy": model})
    files = {
        label: zipped({"video.npy": content, "audio.npy": good, "model.npy": model})
        for label, content in odd_arrays(np.zeros((FRAMES, 8, 1, 3), np.uint8)).items()
    }
    files |= {
        "bomb": zipped({"video.npy": (npy((50 << 20, 8), "<f4"), 800 << 20), "model.npy": model}),
        "model bomb": zipped({"video.npy": good, "model.npy": (npy((), "<U200000000"), 800 << 20)}),
        "model with a line": zipped({"video.npy": good, "model.npy": saved(np.array("a\nb|c"))}),
        "encrypted": marked(whole, 6, 1),
        "method 77": marked(whole, 8, 77),
    }
    return _cases(rng, count, ".avhubert.npz", files, whole)


def tables(rng: Rng, count: int) -> list[Case]:
    """``CLIP.openface.csv``."""
    names = ["frame", "face_id", "timestamp", "confidence", "success", "pose_Rx", "pose_Ry", "pose_Rz"]

    def table(*lines: str, head: str = ", ".join(names)) -> bytes:
        return "\n".join([head, *lines]).encode()

    line = [f"{frame + 1}, 0, {frame / 25}, 0.9, 1, 0.1, 0.2, 0.3" for frame in range(FRAMES)]
    whole = table(*line)
    files = {
        "empty": b"",
        "head alone": table(),
        "NaN": table(*line[:-1], "6, 0, 0.2, 0.9, 1, nan, 0, 0"),
        "infinite": table(*line[:-1], "6, 0, inf, 0.9, 1, inf, 0, 0"),
        "1e400": table(*line[:-1], "6, 0, 0, 0.9, 1, 1e400, 0, 0"),
        "frame 10^30": table(*line[:-1], f"{10**30}, 0, 0, 0.9, 1, 0, 0, 0"),
        "frame -1": table(*line[:-1], "-1, 0, 0, 0.9, 1, 0, 0, 0"),
        "frame 1e9": table(*line[:-1], "1000000000, 0, 0, 0.9, 1, 0, 0, 0"),
        "face 10^30": table(*line[:-1], f"6, {10**30}, 0, 0.9, 1, 0, 0, 0"),
        "many faces": table(*(f"1, {face}, 0, 0.9, 1, 0, 0, 0" for face in range(3000))),
        "twice": table(*line, *line),
        "text": table("a, b, c, d, e, f, g, h"),
        "long line": table("1" * 200_000),
        "long field": table('"' + "x" * 200_000),
        "many columns": table("1," * 30_000, head="a," * 30_000),
        "UTF-16": whole.decode().encode("utf-16"),
        "NUL": whole.replace(b"0.9", b"\0"),
        "formula": table("=cmd|' /C calc'!A0, 0, 0, 0.9, 1, 0, 0, 0"),
        "other columns": table("1, 2", head="a, b"),
        "same columns": table("1, 1", head="frame, frame"),
    }
    return _cases(rng, count, ".openface.csv", files, whole)


def timings(rng: Rng, count: int) -> list[Case]:
    """``CLIP.timing.json``."""
    good = {"frames": 6, "seconds": 0.3, "device": "cpu", "dtype": "float32", "batch": 1, "resolution": "64x64"}
    odd: list[object] = [None, True, -1, 0, 1e308, "x", [], {}, [1], "\u202e", "a\nb", "x" * 100_000, "\ud800", 0.5]
    files = {f"{key} {str(value)[:12]!r}": json.dumps({**good, key: value}).encode() for key in good for value in odd}
    whole = json.dumps(good)
    files |= {
        "Infinity": whole.replace("6", "Infinity", 1).encode(),
        "NaN": whole.replace("0.3", "NaN").encode(),
        "10^400": whole.replace("6", "1" + "0" * 400, 1).encode(),
        "10^5000": whole.replace("6", "1" + "0" * 5000, 1).encode(),
        "deep": b"[" * 200_000,
        "deep object": b'{"a":' * 100_000,
        "twice": whole.replace("}", ', "frames": 7}').encode(),
        "UTF-16": whole.encode("utf-16"),
        "mark": b"\xef\xbb\xbf" + whole.encode(),
        "a list": b"[1, 2]",
        "nothing": b"",
        "binary": bytes(range(256)),
        "large": b" " * (2 << 20),
    }
    return _cases(rng, count, ".timing.json", files, whole.encode())


def texts(rng: Rng, count: int) -> list[Case]:
    """``CLIP.txt``, ``.align`` and ``.prompt.txt``."""
    files = {
        "100 MB": b"word " * (20 << 20),
        "binary": bytes(range(256)) * 9,
        "mark": b"\xef\xbb\xbfone two",
        "UTF-16": "one two".encode("utf-16"),
        "NUL": b"one\0two",
        "controls": b"\x1b]0;owned\x07\x1b[2Jone",
        "RTL": "one \u202e two".encode(),
        "long word": b"x" * 900_000,
        "many words": b"a " * 450_000,
        "nothing": b"",
        "spaces": b" \n\t " * 99,
        "marks": ("o" + "\u0301" * 100_000).encode(),
        "shell": b"$(touch owned) `touch owned` ; touch owned",
        "lines": b"\n" * 900_000,
    }
    cases = []
    for suffix in (".txt", ".align", ".prompt.txt"):
        cases += _cases(rng, count // 3 + 1, suffix, files, b"one two three")
    return cases[:count]


ODD_NAMES = [
    "new\nline", "quote'\"`", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "-rf", "--help",
    "-o", "~", "$HOME",
    "$(touch owned)", "`touch owned`", "; touch owned", "&& touch owned", "| touch owned", "{clip}", "{out}",
    "{0}", "%s%n%d",
    "%2e%2e%2f", "a\\b", "\\\\host\\share", "C:", "con", "nul", "a:b", "a*b?", "[a]", "a|b", "a||n:1/1",
    "@file", "#x", "=cmd()",
    "\x1b]0;owned\x07", "\x1b[2J\x1b[31m", "\x07bell", "\x08\x08\x08back", "\r\rover", "\x7f", "\x9b2J",
    "\u202egpj.exe", "\u2066x\u2069",
    "\u200b", "\ufeff", "\u2028", "\u0000".replace("\0", "x0"), "\ud800".encode("utf-8",
    "surrogatepass").decode("utf-8", "surrogateescape"),
    "\udcff\udcfe", "caf\u00e9", "cafe\u0301x", "\u1e9e\u0130", "头像", "🙂" * 30, "e\u0301" * 60, "x" * 240,
    "头" * 80, " lead", "trail ",
    "tab\there", "two  spaces", "a.b.c", "a.faces", "a.timing", "a.states", "x..", "x%", "&amp;", "&lt;",
    "'; DROP TABLE clips;--",
    "</td></table>", "]]>", "${jndi:ldap://x}", "{{7*7}}", "{% raise %}", "thgeval: 0 of 4 clips failed",
    "x\nthgeval: 0 of 4 clips failed",
    "null", "true", "NaN", "1e999", "__proto__", "constructor", "file:x", "http:x", "pipe:0", "concat:a",
    "subfile,,x",
]  # fmt: skip


def names(rng: Rng, count: int) -> list[Case]:
    """Good clips of hostile names, and broken ones, whose names stand in sentences."""
    every = [(name.replace("/", "_"), False) for name in ODD_NAMES]
    every += [(f"{name}!", True) for name, _ in every]
    made = [
        Case(f"{'broken' if broken else 'whole'} {name[:20]!r}", partial(_named, of=name, broken=broken), id=name)
        for name, broken in every
    ]
    return [made[place] for place in rng.permutation(len(made))[:count]]


def _named(sides: Sides, name: str, *, of: str, broken: bool) -> None:
    for side, seed in ((sides.pred, 2), (sides.gt, 1)):
        content = video(".mp4", seed).read_bytes()
        path = os.fsencode(side) + b"/" + os.fsencode(of) + b".mp4"
        with open(path, "wb") as file:  # noqa: PTH123 (a name that is no text)
            file.write(content[: len(content) // 2] if broken and side == sides.pred else content)


def expected_id(case: Case, name: str) -> str:
    """The id that a clip is to have in the result."""
    return unicodedata.normalize("NFC", case.id or name)


def npz_of(arrays: dict[str, np.ndarray]) -> bytes:
    """An archive as numpy writes it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for key, value in arrays.items():
            archive.writestr(f"{key}.npy", saved(value))
    return buffer.getvalue()
