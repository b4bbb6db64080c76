"""Tables of opinions as others publish them: CSV of clip, score and perhaps rater and method; and THQA-NTIRE's.

Every fault of a table is named with file and line, and nothing is imported of a table that has one.
"""

import csv
import hashlib
import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from thgeval.errors import ProtocolError
from thgeval.files import opened
from thgeval_leaderboard.opinions import Opinion, Opinions, once

MOST_BYTES = 64 << 20
KNOWN = ("clip", "score", "rater", "method")
MEDIA = re.compile(r"\.(mp4|mov|avi|mkv|webm)$", re.IGNORECASE)

THQA_FILES = ("thqa_ntire_train.csv", "thqa_ntire_val.csv", "thqa_ntire_test.csv")
THQA_SOURCE = (
    "THQA-NTIRE: mean opinions on a scale of 0 to 5, from one laboratory; zyj-2000/THQA-NTIRE at commit "
    "8569325928a818dcc4651644b112e48a4549cb77, MIT licence; THQA (arXiv 2404.09003), THQA-10K (arXiv 2507.23343)"
)
SHORT_NAMES = {"sad": "sadtalker", "ahead": "audio2head", "mkittalk": "makeittalk", "vidtalk": "videotalk"}
"""Names of talkers that THQA shortens, by the names that THQA-10K gives them."""

THQA_NAMES = {
    "THQA-10K": re.compile(
        r"(?P<portrait>\d+_(?P<drawn_by>[a-z0-9]+))_(?P<utterance>common_voice_en_\d+)_(?P<method>[a-z0-9]+)"
    ),
    "THQA": re.compile(r"(?P<portrait>\d+)_(?P<utterance>voice_en_\d+)_(?P<method>[a-z0-9]+)"),
    "THQA-3D": re.compile(
        r"(?P<portrait>\d+)_SEN_(?P<utterance>[a-z_]+?)_(?P<distortion>video_lead|audio_lead|pause_start|pause_middle"
        r"|qp_level|qt_level|stream_level)_(?P<level>-?\d+(?:\.\d+)?)"
    ),
}
"""How the three parts of the data set name their clips, by part."""


@dataclass(frozen=True)
class Line:
    """One line of a table: where it stands, and its cells by column."""

    where: str
    cells: dict[str, str]


def of_csv(path: Path, *, scale: tuple[float, float] | None = None) -> Opinions:
    """Opinions of a CSV with the columns ``clip`` and ``score``, and perhaps ``rater``, ``method`` and labels.

    Where there are raters, a clip's score is the mean of theirs.
    """
    content = _content(path)
    rows: dict[tuple[str, str], list[tuple[Line, float]]] = {}
    for line in _lines(content, path.name, ("clip", "score")):
        clip = MEDIA.sub("", line.cells["clip"])
        if not clip:
            raise ProtocolError(f"{line.where} names no clip")
        rows.setdefault((line.cells.get("method", ""), clip), []).append((line, _score(line, "score")))
    clips = tuple(_rated(clip, method, said) for (method, clip), said in rows.items())
    files = {path.name: hashlib.sha256(content).hexdigest()}
    return once(Opinions(path.stem, clips, files=files, scale=scale), path.name)


def _rated(clip: str, method: str, said: list[tuple[Line, float]]) -> Opinion:
    """One clip of a CSV from its lines: a single one, or one a rater."""
    first = said[0][0]
    labels = {name: text for name, text in first.cells.items() if name not in KNOWN and text}
    if len(said) == 1 and not first.cells.get("rater"):
        return Opinion(clip, said[0][1], method, labels)
    ratings: dict[str, float] = {}
    for line, score in said:
        rater = line.cells.get("rater", "")
        if not rater:
            raise ProtocolError(f"{line.where} scores the clip {clip!r}, as another line does, and names no rater")
        if rater in ratings:
            raise ProtocolError(f"{line.where} has the rater {rater!r} score the clip {clip!r} twice")
        ratings[rater] = score
    return Opinion(clip, math.fsum(ratings.values()) / len(ratings), method, labels, ratings)


def of_thqa(folder: Path) -> Opinions:
    """Opinions of the three tables ``Video,Score`` of THQA-NTIRE in a folder, with what their names say."""
    clips: list[Opinion] = []
    files: dict[str, str] = {}
    for name in THQA_FILES:
        content = _content(folder / name)
        files[name] = hashlib.sha256(content).hexdigest()
        split = name.removeprefix("thqa_ntire_").removesuffix(".csv")
        for line in _lines(content, name, ("Video", "Score")):
            found = named(MEDIA.sub("", line.cells["Video"]))
            if found is None:
                raise ProtocolError(f"{line.where} has a name that no clip of THQA-NTIRE has: {line.cells['Video']!r}")
            clips.append(replace(found, score=_score(line, "Score"), labels={**found.labels, "split": split}))
    return once(Opinions("thqa-ntire", tuple(clips), THQA_SOURCE, files, (0.0, 5.0)), str(folder))


def named(clip: str) -> Opinion | None:
    """What the name of a clip of THQA-NTIRE says of it, with the score 0; None for any other name."""
    for part, pattern in THQA_NAMES.items():
        if found := pattern.fullmatch(clip):
            labels = found.groupdict()
            method = labels.pop("method", "")
            return Opinion(clip, 0.0, SHORT_NAMES.get(method, method), {"part": part, **labels})
    return None


def _content(path: Path) -> bytes:
    try:
        with opened(path) as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ProtocolError(f"the table {path} can't be read: {error.strerror or error}") from None
    if len(content) > MOST_BYTES:
        raise ProtocolError(f"the table {path} has more than {MOST_BYTES} bytes")
    return content


def _lines(content: bytes, name: str, needed: tuple[str, ...]) -> Iterator[Line]:
    """Every line of a CSV with a head that has all the columns ``needed``."""
    try:
        rows = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        head = [cell.strip() for cell in next(rows, [])]
        lack = [column for column in needed if column not in head]
        if lack or len(set(head)) != len(head):
            wants = " and ".join(needed)
            raise ProtocolError(f"{name} must begin with a line that names its columns once, {wants} among them")
        for row in rows:
            if not row:
                continue
            where = f"{name}, line {rows.line_num},"
            if len(row) != len(head):
                raise ProtocolError(f"{where} has {len(row)} cells where the head has {len(head)}")
            yield Line(where, {column: cell.strip() for column, cell in zip(head, row, strict=True)})
    except UnicodeDecodeError as error:
        raise ProtocolError(f"{name} is not UTF-8 (byte {error.start})") from None
    except csv.Error as error:
        raise ProtocolError(f"{name} is no CSV: {error}") from None


def _score(line: Line, column: str) -> float:
    text = line.cells[column]
    try:
        score = float(text)
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise ProtocolError(f"{line.where} has {text!r} where a score should be")
    return score
