"""Values per clip and per frame go to other programs as they are: every digit, every reason, infinite ones too."""

import csv
import json
import math

import pytest
from support.clips import moving, write_clip

import thgeval
from thgeval import Options
from thgeval.cli.main import code
from thgeval.engine.value_tables import TABLES, write_values
from thgeval.errors import MissingExtra, ProtocolError


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """A clip that is a copy, one that is not, a damaged one."""
    place = tmp_path_factory.mktemp("tables")
    for side, noise in (("pred", 6.0), ("gt", 0.0)):
        (place / side).mkdir()
        for number, name in enumerate(('a "1"', "b,2", "c")):
            write_clip(place / side / f"{name}.mp4", moving(frames=4, size=32, seed=number, noise=noise * (number > 0)))
    (place / "pred" / "c.mp4").write_bytes(b"no video")
    out = place / "run.json"
    thgeval.evaluate(place / "pred", place / "gt", metrics=["psnr", "f-mse"], options=Options(out=out))
    return out


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_clips_have_every_digit_and_every_reason(result):
    run = thgeval.Run.read(result)
    rows = {(row["clip"], row["metric"]): row for row in rows_of(write_values(result, "clips"))}
    assert len(rows) == 6
    for clip in run.clips:
        for key, value in clip.scores.items():
            row = rows[clip.id, key]
            assert (None if row["value"] == "" else float(row["value"])) == value
    assert rows['a "1"', "psnr"]["value"] == "inf"
    assert float(rows["b,2", "f-mse"]["reference"]) == run.clips[1].reference_contributions["f-mse"][0]
    assert [rows["c", key]["left_out"] for key in ("psnr", "f-mse")] == ["corrupt", "corrupt"]


def test_frames_add_up_to_the_clip(result):
    run = thgeval.Run.read(result)
    rows = [row for row in rows_of(write_values(result, "frames")) if row["metric"] == "psnr"]
    own = [float(row["value"]) for row in rows if row["clip"] == "b,2"]
    assert math.fsum(own) / len(own) == run.clips[1].scores["psnr"]
    assert {row["left_out"] for row in rows if row["clip"] == 'a "1"'} == {"identical"}
    assert [row["frame"] for row in rows[:4]] == ["0", "1", "2", "3"]


@pytest.mark.parametrize("name", TABLES)
def test_parquet_says_the_same_and_carries_signatures(result, name):
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = parquet.read_table(write_values(result, name, "parquet"))
    wanted = rows_of(write_values(result, name))
    assert table.column_names == list(wanted[0])
    for found, row in zip(table.to_pylist(), wanted, strict=True):
        for column, cell in found.items():
            assert (cell is None and row[column] == "") or type(cell)(row[column]) == cell
    said = json.loads(table.schema.metadata[b"thgeval"])
    assert said["signatures"] == thgeval.Run.read(result).signature


def test_pandas_reads_it(result):
    pytest.importorskip("pyarrow")
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_parquet(write_values(result, "clips", "parquet"))
    wide = frame.pivot(index="clip", columns="metric", values="value")
    assert wide.loc["b,2", "psnr"] == thgeval.Run.read(result).clips[1].scores["psnr"]


def test_from_the_command_line(result, tmp_path, capsys, monkeypatch):
    pred, gt = result.parent / "pred", result.parent / "gt"
    asked = ["score", str(pred), str(gt), "-q", "--allow-missing", "-m", "psnr", "--per-clip"]
    assert code([*asked, "-o", str(tmp_path / "run.json")]) == 0
    assert "run.clips.csv" in capsys.readouterr().err
    assert code(["export", str(tmp_path / "run.json")]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert code(asked) == 2
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    assert code([*asked, "--parquet", "-o", str(tmp_path / "run.json")]) == 3
    assert "[frame]" in capsys.readouterr().err
    with pytest.raises(MissingExtra):
        write_values(result, "clips", "parquet")


def test_without_states_there_are_no_frames(result, tmp_path):
    (tmp_path / "run.json").write_bytes(result.read_bytes())
    with pytest.raises(ProtocolError, match=r"no values of frames beside .*run\.json"):
        write_values(tmp_path / "run.json", "frames")
