"""A student's evening: from folders in which something doesn't fit to a typeset table of three systems.

Nothing is known but what the tool says: the first command stands in ``thgeval score --help``, and what is added to it
in the sentences about why it failed.
"""

import re
import shlex
from dataclasses import dataclass, field

import pytest
from support.clips import moving, write_clip
from support.latex import typeset

from thgeval.cli.main import code

SYSTEMS = {"ours": 5.0, "wav2lip": 9.0, "sadtalker": 14.0}
AT_MOST = 4
"""Commands, the typesetting among them."""
ADVICE = re.compile(r"(?:choose|:) (--[a-z-]+(?: [^\s()]+)?) \((?:or|in Python)")
"""An option as sentences offer it, before other ways to the same."""


def pictures(number, noise, frames=15):
    return moving(frames, 48, seed=number, noise=noise)


def others_at_another_rate(folder, name, number, noise):
    write_clip(folder / f"HDTF_{number}.mp4", pictures(number, noise, 18), fps=30)


def a_few_frames_short(folder, name, number, noise):
    write_clip(folder / f"HDTF_{number}.mp4", pictures(number, noise)[: 14 - number])


def with_a_suffix(folder, name, number, noise):
    write_clip(folder / f"HDTF_{number}_pred.mp4", pictures(number, noise))


def in_subfolders(folder, name, number, noise):
    (folder / f"id{number}").mkdir()
    write_clip(folder / f"id{number}" / "00001.mp4", pictures(number, noise))


def nested_references(folder, number):
    (folder / f"id{number}").mkdir()
    write_clip(folder / f"id{number}" / "00001.mp4", pictures(number, 0.0))


def references(folder, number):
    write_clip(folder / f"HDTF_{number}.mp4", pictures(number, 0.0))


@dataclass
class Shell:
    """What is typed, and what came of it."""

    capture: object
    typed: list[str] = field(default_factory=list)

    def run(self, line):
        self.typed.append(line)
        program, *words = shlex.split(line)
        assert program == "thgeval"
        returned = code(words)
        self.out, self.err = self.capture.readouterr()
        return returned


@pytest.mark.parametrize(
    ("generate", "refer", "learnt"),
    [
        (others_at_another_rate, references, "--fps 25"),
        (a_few_frames_short, references, "--lengths truncate"),
        (with_a_suffix, references, "--pred-suffix _pred"),
        (in_subfolders, nested_references, "--recursive"),
    ],
    ids=lambda case: getattr(case, "__name__", None),
)
def test_an_evening(tmp_path, monkeypatch, capsys, generate, refer, learnt):
    for number in range(3):
        for name, noise in SYSTEMS.items():
            (tmp_path / name).mkdir(exist_ok=True)
            generate(tmp_path / name, name, number, noise)
        (tmp_path / "gt").mkdir(exist_ok=True)
        refer(tmp_path / "gt", number)
    monkeypatch.chdir(tmp_path)
    shell = Shell(capsys)
    assert shell.run("thgeval score --help") == 0
    line = next(
        row.strip() for row in shell.out.splitlines() if row.strip().startswith("thgeval score") and ".tex" in row
    )
    shell.typed.clear()  # reading isn't counted
    line += " -m psnr,ssim"  # what takes no landmarks: these are no faces
    while (ended := shell.run(line)) != 0:
        assert ended in (1, 2)
        advice = ADVICE.search(shell.err)
        assert advice, shell.err
        assert advice[1] not in line, "the same advice twice"
        line += f" {advice[1]}"
        assert len(shell.typed) < AT_MOST - 1, shell.typed
    assert line.endswith(learnt)
    assert all(name in shell.out for name in SYSTEMS)
    assert sorted(path.name for path in (tmp_path / "runs").glob("*.json")) == [
        "ours.json", "sadtalker.json", "wav2lip.json",
    ]  # fmt: skip
    table = (tmp_path / "table.tex").read_text(encoding="utf-8")
    assert r"ours & \textbf{" in table
    shell.typed.append("pdflatex paper.tex")
    assert len(shell.typed) <= AT_MOST
    assert typeset(table, tmp_path) == []  # skipped where nothing typesets


def test_one_result_file_at_a_time_takes_the_advice_too(tmp_path, monkeypatch, capsys, folders):
    """The file of a run that scored nothing stands in nobody's way."""
    for path in folders.generated.glob("*.mp4"):
        write_clip(path, moving(8, seed=ord(path.stem) - ord("a"), noise=6.0))
    shell = Shell(capsys)
    line = f"thgeval score {folders.generated} {folders.reference} -m psnr -o {tmp_path / 'ours.json'}"
    assert shell.run(line) == 1
    assert shell.run(f"{line} {ADVICE.search(shell.err)[1]}") == 0
    assert "3/3" in shell.out
    assert shell.run(line) == 2, "what has been scored is not replaced by less"
    assert "--fresh" in shell.err


def test_several_systems_are_named_and_told_apart(thgeval, folders, tmp_path):
    other = tmp_path / "b" / folders.generated.name
    other.mkdir(parents=True)
    for path in folders.reference.glob("*.mp4"):
        write_clip(other / path.name, moving(seed=ord(path.stem) - ord("a"), noise=2.0))
    twice = thgeval("score", folders.generated, other, folders.reference, "-m", "psnr")
    assert (twice.code, twice.out) == (2, "")
    assert "two systems are called pred; name one: pred-2=FOLDER" in twice.err
    answer = thgeval(
        "score", f"A (b)={folders.generated}", f"../x={other}", folders.reference, "-m", "psnr", "-o", tmp_path / "runs"
    )
    assert answer.code == 0, answer.err
    assert sorted(path.name for path in (tmp_path / "runs").glob("*.json")) == ["A (b).json", "_x.json"]
    assert [line.split()[0] for line in answer.out.splitlines()[3:5]] == ["A", "../x"]
    latex = thgeval("score", f"one={folders.generated}", f"two={other}", folders.reference, "-m", "psnr", "-f", "latex")
    assert r"two & \textbf{" in latex.out


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["-o", "run.json"], "several systems have a result file each: name a folder"),
        (["-f", "json"], "several systems come out as a table"),
        (["-b"], "several systems come out as a table"),
        (["--per-frame"], "name their folder with -o RUNS/"),
        (["-o", "a/", "-o", "b/"], "result files lie in one folder, not in 2"),
        (["--list", "x"], "give either --list or PRED_DIR and GT_DIR"),
    ],
)
def test_what_several_systems_can_not_have(thgeval, folders, more, sentence):
    sides = (f"a={folders.generated}", f"b={folders.generated}", folders.reference)
    answer = thgeval("score", *sides, "-m", "psnr", *more)
    assert (answer.code, answer.out) == (2, "")
    assert sentence in answer.err


def test_names_that_would_share_a_file_are_refused(thgeval, folders, tmp_path):
    sides = (f"a/b={folders.generated}", f"a?b={folders.generated}", folders.reference)
    answer = thgeval("score", *sides, "-m", "psnr", "-o", tmp_path / "runs")
    assert (answer.code, answer.out) == (2, "")
    assert "the results of a/b and a?b would have one name" in answer.err


def test_one_system_that_fails_in_part_does_not_end_the_others(thgeval, folders, tmp_path):
    (folders.generated / "b.mp4").write_bytes(b"no video")
    sides = (f"a={folders.generated}", f"gt={folders.reference}", folders.reference)
    answer = thgeval("score", *sides, "-m", "psnr,cpbd", "-q")
    assert answer.code == 1
    assert "thgeval: of a:\n" in answer.err
    assert [line.split()[0] for line in answer.out.splitlines()[3:5]] == ["a", "gt"]
    assert "2 of 3 clips" in answer.out
