"""``thgeval table``: names, files that are missing, where the table goes."""

import csv
import io

import numpy as np
import pytest
from support.results import of, writer


@pytest.fixture
def results(tmp_path):
    """Result files of two systems and a control."""
    write = writer(tmp_path)
    clips = np.arange(10.0)
    return [
        write(name, {"psnr": of(clips + shift), "ssim": of(clips / 10)})
        for name, shift in (("ours", 3), ("theirs", 2), ("still", 9))
    ]


def test_systems_are_called_as_they_are_named_or_as_their_files(thgeval, results):
    ours, theirs, still = results
    answer = thgeval("table", f"Ours (full)={ours}", theirs, "--control", f"Still={still}", "-f", "csv", "-m", "PSNR")
    assert answer.code == 0, answer.err
    lines = list(csv.DictReader(io.StringIO(answer.out)))
    assert [(line["system"], line["role"], line["place"]) for line in lines] == [
        ("Ours (full)", "system", "best"),
        ("theirs", "system", "second"),
        ("Still", "control", ""),
    ]


def test_a_table_goes_to_a_file(thgeval, results, tmp_path):
    answer = thgeval("table", *results, "-f", "html", "-o", tmp_path / "table.html")
    assert (answer.code, answer.out) == (0, "")
    assert (tmp_path / "table.html").read_text(encoding="utf-8").startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["a={ours}", "a={theirs}"], "two results are called a"),
        (["{ours}", "no-such.json"], "can't be read"),
        (["{ours}", "-m", "lmd"], "lmd is in none of the results; they hold psnr, ssim"),
        (["{ours}", "--control", "ours={theirs}"], "ours is both a system and a control"),
        (["{ours}", "-m", "psmr"], "no metric is called"),
    ],
)
def test_mistakes_are_one_sentence(thgeval, results, arguments, sentence):
    named = {path.stem: path for path in results}
    answer = thgeval("table", *(argument.format(**named) for argument in arguments))
    assert (answer.code, answer.out) == (2, "")
    assert sentence in answer.err
    assert answer.err.count("\n") == 1
