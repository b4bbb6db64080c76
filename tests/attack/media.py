"""Clips that are damaged, that lie about themselves, or that are no clips."""

import io
import os
import struct
import zlib
from functools import partial
from pathlib import Path

from PIL import Image
from support.clips import moving

from attack.cases import ENCODERS, SIZE, Case, Rng, Sides, video

SPARSE = 1 << 41
LISTS = {
    "ffconcat": "ffconcat version 1.0\nfile {}\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{}</BaseURL></MPD>',
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n# {}\n",
    "redirect": "[reference]\nRef1={}\n",
}
NAMED = (
    "inner",
    "/dev/zero",
    "/etc/passwd",
    "http://127.0.0.1:9/x",
    "pipe:0",
    "concat:a|b",
    "subfile,,start,0,end,9,,:a",
)


def damage(rng: Rng, content: bytes, how: str) -> bytes:
    """One way in which files break."""
    data, size = bytearray(content), len(content)
    at = int(rng.integers(0, size))
    span = int(rng.integers(1, max(2, size // 4)))
    if how == "cut":
        return bytes(data[:at])
    if how == "headless":
        return bytes(data[at:])
    if how == "flipped":
        for place in rng.integers(0, size, int(rng.choice([1, 20, 300]))):
            data[place] ^= 1 << int(rng.integers(8))
    elif how == "zeros":
        data[at : at + span] = bytes(len(data[at : at + span]))
    elif how == "noise":
        data[at : at + span] = rng.bytes(len(data[at : at + span]))
    elif how == "spliced":
        data[at:] = content[int(rng.integers(0, size)) :]
    elif how == "grown":
        data += rng.bytes(span)
    elif how == "without":
        del data[at : at + span]
    return bytes(data)


HOW = ("cut", "headless", "flipped", "zeros", "noise", "spliced", "grown", "without")


def damaged_videos(rng: Rng, count: int) -> list[Case]:
    """Every container in every way; the generated side or the reference."""
    cases = []
    for number in range(count):
        suffix = list(ENCODERS)[number % len(ENCODERS)]
        how = HOW[(number // len(ENCODERS)) % len(HOW)]
        content = damage(rng, video(suffix).read_bytes(), how)
        cases.append(Case(f"{how} {suffix}", partial(_damaged, content=content, suffix=suffix, side=number % 5 == 4)))
    return cases


def _damaged(sides: Sides, name: str, *, content: bytes, suffix: str, side: bool) -> None:
    if side:
        sides.pair(name)
        (sides.gt / f"{name}.mp4").unlink()
        (sides.gt / f"{name}{suffix}").write_bytes(content)
    else:
        sides.partner(name)
        (sides.pred / f"{name}{suffix}").write_bytes(content)


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of no pixels that claims many."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def image(form: str, mode: str = "RGB", size: int = SIZE, seed: int = 0, **how: object) -> bytes:
    """A small image as a file holds it."""
    buffer = io.BytesIO()
    Image.fromarray(moving(1, size, seed)[0]).convert(mode).save(buffer, form, **how)
    return buffer.getvalue()


def flat(side: int) -> bytes:
    """A PNG of one colour."""
    buffer = io.BytesIO()
    Image.new("RGB", (side, side), (9, 9, 9)).save(buffer, "PNG", compress_level=9)
    return buffer.getvalue()


def image_folders(rng: Rng, count: int) -> list[Case]:
    """Folders of frames of which some are none."""
    sound = image("PNG")
    odd: list[tuple[str, bytes | str]] = [
        *(
            (f"claims {w} x {h}", png_claiming(w, h))
            for w, h in [(2**31 - 1, 1), (60_000, 60_000), (0, 5), (1, 2**31 - 1)]
        ),
        *(
            (f"{mode} {form}", image(form, mode))
            for form, mode in [
                ("PNG", "I;16"),
                ("PNG", "1"),
                ("PNG", "P"),
                ("PNG", "RGBA"),
                ("JPEG", "CMYK"),
                ("BMP", "RGB"),
                ("TIFF", "CMYK"),
                ("TIFF", "F"),
                ("WEBP", "RGBA"),
            ]
        ),
        ("8192 px", flat(8192)),
        ("other size", image("PNG", size=32)),
        ("a text", b"no image"),
        ("nothing", b""),
        ("two pages", image("TIFF", save_all=True, append_images=[Image.new("RGB", (8, 8))])),
        ("svg", b'<svg xmlns="http://www.w3.org/2000/svg"><image href="/etc/passwd"/></svg>'),
        *(
            (what, what)
            for what in ("pipe", "endless", "dangling", "loop", "sparse", "folder", "gap", "no number", "twice")
        ),
    ]
    cases = []
    for number in range(count):
        if number < len(odd):
            label, content = odd[number]
        else:
            how = HOW[number % len(HOW)]
            label, content = f"{how} PNG", damage(rng, sound, how)
        cases.append(Case(label, partial(_folder, content=content)))
    return cases


def _folder(sides: Sides, name: str, *, content: bytes | str) -> None:
    for side in (sides.pred, sides.gt):
        (side / name).mkdir()
        for frame in range(4):
            (side / name / f"{frame:03}.png").write_bytes(image("PNG", seed=frame))
    third = sides.pred / name / "002.png"
    if isinstance(content, bytes):
        third.write_bytes(content)
        return
    third.unlink()
    if content == "no number":
        (sides.pred / name / "x.png").write_bytes(image("PNG"))
    elif content == "twice":
        (sides.pred / name / "2.png").write_bytes(image("PNG"))
        third.write_bytes(image("PNG"))
    elif content != "gap":
        put(third, content)


def put(path: Path, what: str) -> None:
    """Something that is no regular file, or one without end, under a name."""
    if what == "pipe":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
    elif what == "sparse":
        with path.open("wb") as file:
            file.truncate(SPARSE)
    elif what == "socket":
        import socket

        here = os.open(path.parent, os.O_RDONLY)
        with socket.socket(socket.AF_UNIX) as server:  # by a short path: names of sockets have 108 bytes
            server.bind(f"/proc/self/fd/{here}/{path.name}")
        os.close(here)
    else:
        target = {"endless": "/dev/zero", "random": "/dev/urandom", "full": "/dev/full", "null": "/dev/null"}
        target |= {"tty": "/dev/tty", "loop": path.name, "dangling": "nowhere", "parent": "..", "root": "/"}
        target |= {"stdin": "/dev/stdin", "proc": "/proc/self/mem", "pagemap": "/proc/kmsg", "long": "x/" * 2000 + "x"}
        path.symlink_to(target[what])


PLACES = (
    *("pipe", "folder", "sparse", "socket", "endless", "random", "full", "null", "tty", "loop", "dangling", "parent"),
    *("root", "stdin", "proc", "pagemap", "long"),
)


def places(rng: Rng, count: int) -> list[Case]:
    """What is no file, or no clip but a list of others, where a clip should be."""
    suffixes = (".mp4", ".npy", ".npz", ".gif", ".mkv", ".webm", ".png")
    made = [
        Case(f"{what} {suffix}", partial(_place, what=what, suffix=suffix)) for suffix in suffixes for what in PLACES
    ]
    made += [
        Case(f"{form} of {named}", partial(_list, text=text.format(named), suffix=suffix))
        for named in NAMED
        for form, text in LISTS.items()
        for suffix in (".mp4", ".mkv")
    ]
    return [made[place] for place in rng.permutation(len(made))[:count]]


def _place(sides: Sides, name: str, *, what: str, suffix: str) -> None:
    sides.partner(name)
    if suffix == ".png":  # images are clips where they lie in a folder
        (sides.pred / name).mkdir()
        put(sides.pred / name / "0.png", what)
    else:
        put(sides.pred / f"{name}{suffix}", what)


def _list(sides: Sides, name: str, *, text: str, suffix: str) -> None:
    sides.partner(name)
    (sides.pred / f"{name}{suffix}").write_text(text)
    if not (sides.pred / "inner").exists():
        os.mkfifo(sides.pred / "inner")
