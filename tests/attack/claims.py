"""Hostile results and states, lists, protocols and rules: what commands are told of clips, rather than clips."""

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from attack.arrays import npy, saved
from attack.cases import Rng
from attack.media import HOW, PLACES, damage, put

VALUES: list[object] = [
    *(None, True, False, 0, -1, 10**30, 1e308, "x", "", "inf", [], {}, [None], {"a": 1}, "\u202e\x1b[2J", "<script>"),
    *("/dev/zero", "../../../etc/passwd", "\ud800", "a\nb", "x" * 10_000, [[1, 2], [3]], [1e308, 1e308], "NaN"),
]  # fmt: skip
WORDS = ("Infinity", "NaN", "-Infinity", "1e999", "1" + "0" * 5000, "[" * 100_000, '{"a":' * 50_000)


@dataclass(frozen=True)
class Claim:
    """One change of a good run's files, and the commands that read it: ``RUN`` and ``OTHER`` stand for results."""

    label: str
    change: Callable[[Path], None]
    commands: tuple[tuple[str, ...], ...]


READERS = (
    ("report", "RUN", "-o", "OUT/page.html"),
    ("compare", "OTHER", "RUN"),
    ("merge", "RUN", "OTHER", "-o", "OUT/merged.json"),
    ("verify", "RUN", "PRED", "GT"),
    ("score", "PRED", "GT", "-m", "l1", "-m", "psnr", "-q", "-o", "RUN"),
)


def results(rng: Rng, count: int, run: Path) -> list[Claim]:
    """Result files of which one value is another, or one word, or that are broken."""
    text = run.read_text(encoding="utf-8")
    places = list(_places(json.loads(text)))
    claims = []
    for number in range(count):
        if number % 8 == 6:
            how = HOW[number // 8 % len(HOW)]
            content = damage(rng, text.encode(), how)
            claims.append((f"{how} result", partial(_put, content=content)))
        elif number % 8 == 7:
            word = WORDS[number // 8 % len(WORDS)]
            at = places[int(rng.integers(len(places)))]
            content = json.dumps(_with(text, at, "*word")).replace('"*word"', word).encode()
            claims.append((f"{'.'.join(map(str, at))} is {word[:9]}", partial(_put, content=content)))
        else:
            at, value = places[int(rng.integers(len(places)))], VALUES[number % len(VALUES)]
            content = json.dumps(_with(text, at, value)).encode()
            claims.append((f"{'.'.join(map(str, at))} is {str(value)[:12]!r}", partial(_put, content=content)))
    return [Claim(label, change, (READERS[at % len(READERS)],)) for at, (label, change) in enumerate(claims)]


def _places(data: object, at: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    inside = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [at, *(place for key, value in inside for place in _places(value, (*at, key)))][0 if at else 1 :]


def _with(text: str, at: tuple[object, ...], value: object) -> object:
    data = json.loads(text)
    here = data
    for key in at[:-1]:
        here = here[key]
    here[at[-1]] = value
    return data


def _put(run: Path, *, content: bytes) -> None:
    run.write_bytes(content)


def states(rng: Rng, count: int, run: Path) -> list[Claim]:
    """States that are broken, are no files, say something else, or were made of something else."""
    place = sorted(run.with_suffix(".states").glob("*.npz"))[0]
    content = place.read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    header = json.loads(bytes(np.load(io.BytesIO(members["header.npy"]))))
    places = list(_places(header))
    made: list[tuple[str, Callable[[Path], None]]] = [
        (what, partial(_no_state, name=place.name, what=what)) for what in PLACES
    ]
    arrays = {
        "0-d": saved(np.array(1.0)),
        "text": saved(np.array(["a"])),
        "3-d": saved(np.zeros((2, 2, 2))),
        "NaN": saved(np.full(6, np.nan)),
        "infinite": saved(np.full(6, np.inf)),
        "none": saved(np.zeros(0)),
        "whole": saved(np.zeros(6, int)),
        "huge": npy((1 << 40,), "<f8"),
        "object": npy((1,), "|O", b"cos\nsystem\n"),
        "edited": saved(np.full(6, 99.0)),
    }
    made += [
        (f"array {label}", partial(_state, name=place.name, members={**members, "array0.npy": value}))
        for label, value in arrays.items()
    ]
    made.append(("packed", partial(_state, name=place.name, members=members, method=zipfile.ZIP_DEFLATED)))
    while len(made) < count:
        if len(made) % 2:
            at, value = places[int(rng.integers(len(places)))], VALUES[int(rng.integers(len(VALUES)))]
            said = np.frombuffer(json.dumps(_with(json.dumps(header), at, value)).encode(), np.uint8)
            changed = {**members, "header.npy": saved(said)}
            label = f"header {'.'.join(map(str, at))} is {str(value)[:12]!r}"
            made.append((label, partial(_state, name=place.name, members=changed)))
        else:
            how = HOW[len(made) // 2 % len(HOW)]
            made.append((how, partial(_bytes, name=place.name, content=damage(rng, content, how))))
    return [
        Claim(f"states: {label}", change, (READERS[at % len(READERS)],))
        for at, (label, change) in enumerate(made[:count])
    ]


def _no_state(run: Path, *, name: str, what: str) -> None:
    place = run.with_suffix(".states") / name
    place.unlink()
    put(place, what)


def _bytes(run: Path, *, name: str, content: bytes) -> None:
    (run.with_suffix(".states") / name).write_bytes(content)


def _state(run: Path, *, name: str, members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(run.with_suffix(".states") / name, "w", method) as archive:
        for member, content in members.items():
            archive.writestr(member, content)


LISTS: dict[str, bytes] = {
    "nothing": b"",
    "a binary": bytes(range(256)),
    "UTF-16": "a.mp4\tb.mp4".encode("utf-16"),
    "NUL": b"a\0.mp4\tb.mp4\n",
    "four fields": b"a\tb\tc\td\n",
    "commas": b"a.mp4,b.mp4\n",
    "devices": b"/dev/zero\t/dev/zero\n",
    "itself": b"RUN.tsv\tRUN.tsv\n",
    "a pipe": b"../pipe\t../pipe\n",
    "twice": b"g0.mp4\tg0.mp4\ng0.mp4\tg0.mp4\n",
    "up": b"../../../../etc/passwd\t../../../../etc/shadow\n",
    "long": b"a" * 5000 + b".mp4\tb.mp4\n",
    "large": b"a.mp4\tb.mp4\n" * 200_000,
    "controls": b"\x1b]0;owned\x07.mp4\tb\x1b[2J.mp4\n",
    "addresses": b"http://127.0.0.1:9/a.mp4\tconcat:a|b\n",
    "folders": b"/\t/\n",
}
PROTOCOLS: dict[str, bytes] = {
    "nothing": b"",
    "a binary": bytes(range(256)),
    "no TOML": b"[[[[",
    "deep": b"a=" + b"[" * 5000,
    "deep tables": b".".join([b"a"] * 5000) + b"=1",
    "unknown": b"speed = 1\n",
    "size -1": b"size = -1\n",
    "size 10^30": b"size = " + b"9" * 30 + b"\n",
    "size inf": b"size = inf\n",
    "size nan": b"size = nan\n",
    "fps text": b'fps = "x"\n',
    "fps 0": b"fps = 0\n",
    "fps 1e300": b"fps = 1e300\n",
    "crop list": b"crop = [1]\n",
    "name with bars": b'name = "a|b||n:1/1"\n',
    "controls": b'name = "\\u001b]0;owned\\u0007"\n',
    "UTF-16": 'name = "x"'.encode("utf-16"),
    "large": b"# x\n" * 500_000,
    "date": b"fps = 1979-05-27T07:32:00Z\n",
    "size 10^30, named": b'name = "m"\nsize = ' + b"9" * 30 + b"\n",
    "clips above": b'name = "m"\nclips = ["../../etc/passwd"]\n',
    "clips many": b'name = "m"\nclips = [' + b'"a",' * 300_000 + b"]\n",
    "clips twice": b'name = "m"\nclips = [' + b'"a",' * 100_000 + b"]\n",
    "clips of controls": b'name = "m"\nclips = ["\\u001b]0;owned\\u0007", "\\u0000"]\n',
    "first_s nan": b'name = "m"\nfirst_s = nan\n',
    "first_s 1e300": b'name = "m"\nfirst_s = 1e300\n',
    "first_s 1e-300": b'name = "m"\nfirst_s = 1e-300\n',
    "fps 1e999999999": b'name = "m"\nfps = "1e999999999"\n',
    "last long": b'name = "m"\nlast = "1/' + b"9" * 3000 + b'"\n',
    "frames 10^30": b'name = "m"\nframes = ' + b"9" * 30 + b"\n",
    "data set above": b'name = "m"\ndataset = "../../../etc/passwd"\n',
    "list above": b'name = "m"\n[list]\nfile = "../x"\nwhere = "w"\nformat = "ids"\nclips = 1\n',
    "draw above": b'name = "m"\n[draw]\nof = "../lists/hdtf"\nsalt = "s"\nclips = 1\n',
    "driver of controls": b'name = "m"\ndataset = "hdtf"\ndriver = "\\u001b]0;owned\\u0007"\n',
    "official": b'name = "m"\nstatus = "list"\n',
}


def requests(rng: Rng, count: int, run: Path) -> list[Claim]:
    """Lists of pairs, files of protocols, and files for both that are none."""
    score, options = ("score", "PRED", "GT"), ("-m", "l1", "-q", "-o", "OUT/other.json")
    made = [
        Claim(f"list: {label}", partial(_other, content=content), (("score", "--list", "RUN.tsv", *options),))
        for label, content in LISTS.items()
    ]
    made += [
        Claim(
            f"protocol: {label}",
            partial(_other, content=content, suffix=".toml"),
            ((*score, "--protocol", "RUN.toml", *options),),
        )
        for label, content in PROTOCOLS.items()
    ]
    for what in PLACES:
        for option, suffix in (("--list", ".tsv"), ("--protocol", ".toml"), ("--transcripts", ".tsv")):
            clips = () if option == "--list" else ("PRED", "GT")
            change = partial(_other, content=what, suffix=suffix)
            made.append(Claim(f"{option} {what}", change, (("score", *clips, option, f"RUN{suffix}", *options),)))
    for what in PLACES:
        made.append(
            Claim(
                f"-o {what}",
                partial(_output, what=what),
                ((*score, "-m", "l1", "-q", "-o", "OUT/odd.json"),),
            )
        )
    return [made[place] for place in rng.permutation(len(made))[:count]]


def _other(run: Path, *, content: bytes | str, suffix: str = ".tsv") -> None:
    place = run.with_name(f"{run.name}{suffix}")
    if isinstance(content, bytes):
        place.write_bytes(content)
    else:
        put(place, content)


def _output(run: Path, *, what: str) -> None:
    put(run.parent / "out" / "odd.json", what)


def laid_out(good: Path, folder: Path) -> Path:
    """A run of its own for a claim to change: the result, its states, and a folder for what is written."""
    folder.mkdir()
    shutil.copyfile(good, folder / "run.json")
    shutil.copytree(good.with_suffix(".states"), folder / "run.states")
    (folder / "out").mkdir()
    return folder / "run.json"
