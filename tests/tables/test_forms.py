"""A table of systems in every form: what a terminal of 80 columns shows, what LaTeX compiles, what machines read."""

import csv
import io

import html5lib
import numpy as np
import pytest
from support.latex import typeset
from support.results import of, writer

from thgeval.results import Run
from thgeval.statistics import Resampling
from thgeval.tables import TABLE_FORMS, systems_table, table_text

NASTY = '<script>alert("x")</script> 50%_of $5 & |\x1b[31m \u4e2d'


@pytest.fixture
def table(tmp_path):
    """Three systems, a control and the references, under five metrics, with everything that a cell can say."""
    write = writer(tmp_path)
    clips = np.arange(10.0)

    def run(name, shift, **more):
        metrics = {
            "psnr": of(clips + 30 - shift, unit="dB", interval=[31.0, 38.5]),
            "lmd": of(clips / 9 + shift, better="lower", unit="px"),
            "blinks-per-s": of(clips / 9 - shift / 9, own=clips / 9, better="closer-to-reference", unit="1/s"),
            "mouth-correlation": of(0.9 - shift * clips / 90),
            "csim": {"unscored": "no weights"},
        }
        return Run.read(write(name, {**metrics, **more}))

    systems = {
        "ours": run("ours", 0.5),
        "wav2lip": run("wav2lip", 2.0),
        NASTY: run("c", 2.0, lmd={"unscored": "no | face"}),
    }
    return systems_table(systems, {"still": run("still", 5.0)}, resampling=Resampling(2000, 1))


def test_a_terminal_is_never_wider_than_it_is(table, monkeypatch):
    for columns in (80, 200):
        monkeypatch.setenv("COLUMNS", str(columns))
        shown = table_text(table, "text")
        assert max(map(len, shown.splitlines())) <= columns, shown
        assert (shown.count("system  ") > 1) == (columns == 80)
    assert "\x1b" not in shown


def test_text_marks_and_explains(table, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    lines = table_text(table, "text").splitlines()
    assert lines[0].split()[:3] == ["system", "psnr", "↑"]
    assert next(line for line in lines if line.startswith("ours")).split()[1:] == [
        "34.000*",
        "1.000*",
        "0.444*",
        "0.875*",
    ]
    assert next(line for line in lines if line.startswith("wav2lip")).split()[1] == "32.500'"
    assert any(line.startswith("best*, second' (paired tests over clips") for line in lines)
    assert "[1] not scored: no | face" in lines
    assert "not scored by any: csim" in lines
    signed = table_text(table, "text", signatures=True)
    assert "psnr: psnr@1|a:1|fps:native" in signed


@pytest.mark.parametrize(
    ("intervals", "shown"),
    [("none", "34.000*"), ("range", "34.000* [31.000, 38.500]"), ("half-width", "34.000* ± 4.500")],
)
def test_intervals_stand_beside_the_score(table, monkeypatch, intervals, shown):
    monkeypatch.setenv("COLUMNS", "200")
    line = next(line for line in table_text(table, "text", intervals=intervals).splitlines() if line.startswith("ours"))
    assert shown in line


@pytest.mark.parametrize("engine", ["pdflatex", "xelatex"])
@pytest.mark.parametrize("intervals", ["none", "half-width"])
def test_latex_is_ascii_and_compiles(table, tmp_path, engine, intervals):
    text = table_text(table, "latex", intervals=intervals, signatures=True)
    assert text.isascii()
    assert typeset(text, tmp_path, engine) == []
    assert r"\textbf{34.000}" in text
    assert r"\underline{32.500}" in text
    assert text.count(r"\midrule") == 3
    assert "\n% psnr: psnr@1|a:1|fps:native" in text


def test_markdown_keeps_its_columns(table):
    head, rule, *rows = table_text(table, "markdown").split("\n\n")[0].splitlines()
    assert head.count("|") == rule.count("|") == 6
    assert all(line.replace(r"\|", "").count("|") == 6 for line in rows)
    assert "<script" not in "".join(rows)
    assert "**34.000**" in rows[0]
    assert "<ins>32.500</ins>" in rows[1]


def test_csv_has_every_digit_and_nothing_for_nothing(table):
    lines = list(csv.DictReader(io.StringIO(table_text(table, "csv", digits=0))))
    assert len(lines) == 4 * 5
    first = lines[0]
    assert (first["system"], first["metric"], first["direction"], first["place"]) == ("ours", "psnr", "higher", "best")
    assert (float(first["value"]), float(first["low"]), float(first["high"])) == (34.0, 31.0, 38.5)
    assert (first["clips"], first["expected"], first["signature"]) == ("10", "10", "psnr@1|a:1|fps:native||n:1/1")
    lost = next(line for line in lines if line["metric"] == "lmd" and line["system"].startswith("<script"))
    assert (lost["value"], lost["low"], lost["notes"]) == ("", "", "not scored: no | face")


def test_the_page_is_valid_and_nothing_in_it_runs(table):
    page = table_text(table, "html")
    html5lib.HTMLParser(strict=True).parse(page)
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert "<b>34.000</b>" in page
    assert "<u>32.500</u>" in page
    assert (
        page.index('tbody class="system"') < page.index('tbody class="control"') < page.index('tbody class="reference"')
    )


@pytest.mark.parametrize("form", TABLE_FORMS)
def test_no_score_at_all_is_still_a_table(tmp_path, form):
    run = Run.read(writer(tmp_path)("a", {"m": {"unscored": "no face"}}))
    assert "a" in table_text(systems_table({"a": run}), form)
