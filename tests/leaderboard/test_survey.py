"""The survey's tables as pages: every printed value is there as printed, beside reading and note, apart from scores."""

import gzip
import json
from pathlib import Path

import html5lib
import pytest

from thgeval.registry import table
from thgeval_leaderboard.survey import STATUS, cells, data, notes
from thgeval_leaderboard.survey.compile import compiled
from thgeval_leaderboard.survey.reporting import CALLED, reports

SOURCE = Path(__file__).resolve().parents[2] / ".." / "shared" / "survey"


def every():
    return [cell for table in data("tables") for cell in cells(table["table"])]


def rows(site, table):
    text = (site / f"survey/table-{table}.html").read_text(encoding="utf-8")
    page = html5lib.parse(text, namespaceHTMLElements=False)
    found = page.findall(".//table[@id='survey']/tbody/tr")
    return [["".join(item.itertext()) for item in row] for row in found]


def test_there_are_all_tables_and_cells():
    assert [table["table"] for table in data("tables")] == list(range(14, 40))
    assert len(every()) == 1273
    assert len({cell.id for cell in every()}) == 1273
    assert {cell.status for cell in every()} == set(STATUS)
    assert (len(notes()), len(data("methods")), len(data("datasets"))) == (287, 99, 30)


def test_every_note_that_is_named_is_there():
    named = {id for cell in every() for id in (*cell.notes, *cell.around)}
    named |= {id for name in ("methods", "datasets") for row in data(name) for id in row["flags"]}
    assert named <= set(notes())


def test_a_misprint_stands_as_printed_beside_its_reading(site):
    found = next(row for row in rows(site, 22) if "196.82" in row[4])
    assert found[3] == "6.17"
    assert found[5] == "misprint"
    assert len(found[6]) > 20


@pytest.mark.parametrize("table", range(14, 40))
def test_a_table_shows_every_value_as_printed(site, table):
    assert [row[3] for row in rows(site, table)] == [cell.raw for cell in cells(table)]


def test_survey_pages_are_light_and_no_board_holds_their_values(site):
    for page in (site / "survey").glob("*.html"):
        content = page.read_bytes()
        assert len(content) <= 300_000, page
        assert len(gzip.compress(content)) <= 60_000, page
        assert "s reported" in content.decode(), page
    for board in (site / "boards").glob("*.html"):
        assert "survey/table" not in board.read_text(encoding="utf-8")


def test_what_is_committed_is_what_the_script_makes():
    if not SOURCE.is_dir():
        pytest.skip("needs ../shared/survey")
    for name, made in compiled(SOURCE).items():
        assert json.loads(json.dumps(made)) == (data(name)[0] if isinstance(made, dict) else data(name)), name


def test_the_surveys_own_sentences_are_not_kept():
    for name in ("tables", "methods", "datasets"):
        for row in data(name):
            assert not {"highlights", "limitations", "description"} & set(row)


def test_every_metric_of_the_surveys_tables_is_one_of_ours():
    ours = {id for name in table() for id in CALLED.get(name, (name.replace("-", "_"),))}
    assert {column[1] for each in data("tables") for column in each["columns"]} <= ours
    assert set(CALLED) <= set(table())


@pytest.mark.parametrize("metric", sorted(table()))
def test_who_reports_a_metric_is_every_method_with_a_value_under_its_name(metric):
    ids = CALLED.get(metric, (metric.replace("-", "_"),))
    printed = [
        (each["table"], row["method"])
        for each in data("tables")
        for row in each["rows"]
        for column, cell in zip(each["columns"], row["cells"], strict=True)
        if column[1] in ids and cell["raw"] not in ("X", "–", "—", "Nan")
    ]
    found = reports(metric)
    assert {(each.table, method) for each in found for method in each.methods} == set(printed)
    assert sum(each.values for each in found) == len(printed)


def test_a_metrics_page_says_who_reports_it_as_reported(site):
    text = (site / "metrics/lmd.html").read_text(encoding="utf-8")
    page = html5lib.parse(text, namespaceHTMLElements=False)
    section = page.find(".//section[@id='reported']")
    assert "as reported" in "".join(section.find("h2").itertext())
    shown = [row.find("th/a").get("href") for row in section.findall(".//tbody/tr")]
    assert shown == [f"../survey/table-{each.table}.html" for each in reports("lmd")]
    assert len(shown) == 7
    alone = (site / "metrics/mouth-correlation.html").read_text(encoding="utf-8")
    assert 'id="reported"' not in alone
