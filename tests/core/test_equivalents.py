"""A score in the terms of copies whose faults are known."""

import numpy as np
import pytest
from support.results import of, writer

from thgeval.controls import CONTROLS, NO_PERFORMANCE
from thgeval.results import Run
from thgeval.results.equivalents import beaten_by, equivalent, warning
from thgeval.results.terminal import terminal_text
from thgeval.tables import Role, run_text, systems_table, table_text

LADDER = {"crf18": 1.0, "crf30": 2.0, "crf42": 4.0, "blur1": 3.0, "blur3": 6.0}


@pytest.fixture
def run(tmp_path):
    """A run of one metric of a value, a direction, and scores of copies."""
    write = writer(tmp_path)

    def made(value, controls, better="lower", own=None, name="run"):
        theirs = {} if own is None else {"own": np.full(10, own)}
        return Run.read(write(name, {"lmd": {**of(np.full(10, value), better=better, **theirs), "controls": controls}}))

    return made


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.5, "better than crf 18"),
        (1.0, "as good as crf 18"),
        (1.5, "between crf 18 and crf 30"),
        (3.5, "between crf 30 and crf 42"),
        (5.0, "between blur of 1 px and blur of 3 px"),
        (6.0, "as bad as blur of 3 px"),
        (7.0, "worse than blur of 3 px"),
    ],
)
def test_a_score_lies_on_the_first_ladder_that_holds_it(run, value, said):
    assert equivalent(run(value, LADDER)["lmd"]) == said


def test_a_score_on_no_ladder_lies_between_its_neighbours(run):
    assert (
        equivalent(run(3.0, {"crf42": 2.0, "shift2": 5.0, "shift5": 7.0})["lmd"]) == "between crf 42 and 2 frames late"
    )


def test_a_ladder_that_does_not_rise_is_none(run):
    mixed = {"crf18": 3.0, "crf30": 1.0, "crf42": 4.0, "blur1": 1.5, "blur3": 3.5}
    assert equivalent(run(2.0, mixed)["lmd"]) == "between blur of 1 px and blur of 3 px"


@pytest.mark.parametrize(
    ("better", "value", "still", "own", "wins"),
    [
        ("lower", 2.0, 1.0, None, True),
        ("lower", 2.0, 2.0, None, False),
        ("higher", 2.0, 3.0, None, True),
        ("higher", 2.0, 1.0, None, False),
        ("closer-to-zero", -2.0, 1.0, None, True),
        ("closer-to-reference", 2.0, 4.0, 3.5, True),
        ("closer-to-reference", 2.0, 4.0, 2.5, False),
        ("none", 2.0, 1.0, None, False),
    ],
)
def test_a_still_wins_by_the_metrics_own_direction(run, better, value, still, own, wins):
    score = run(value, {"still": still}, better, own)["lmd"]
    assert beaten_by(score) == (("a still",) if wins else ())
    assert bool(warning(score)) is wins
    assert equivalent(score) == ("worse than a still" if wins else "")


def test_copies_that_do_not_speak_are_named_before_the_ladder(run):
    score = run(1.5, LADDER | {"still": 1.2, "mouthfreeze": 0.1})["lmd"]
    assert equivalent(score) == "worse than a still and a frozen mouth; between crf 18 and crf 30"
    assert warning(score) == "a still and a frozen mouth of the references score better"


def test_a_control_of_a_later_version_is_passed_over(run):
    assert equivalent(run(1.5, LADDER | {"unheard-of": 0.0})["lmd"]) == "between crf 18 and crf 30"


@pytest.mark.parametrize("form", ["table", "markdown", "latex"])
def test_every_form_of_a_run_says_what_a_still_would_win(run, form):
    said = "a still of the references scores better"
    assert said in run_text(run(1.5, {"still": 1.0}), form=form, digits=3)
    assert said not in run_text(run(1.5, {"still": 2.0}), form=form, digits=3)
    assert said in run(1.5, {"still": 1.0})._repr_html_()


@pytest.mark.parametrize("form", ["text", "markdown", "latex", "html", "csv"])
def test_tables_of_systems_say_it_of_each(run, form):
    systems = {"worse": run(1.5, {"still": 1.0}, name="a"), "better": run(0.5, {"still": 1.0}, name="b")}
    table = systems_table(systems, copies=["still"])
    assert [len(row.cells[0].notes) for row in table.rows] == [1, 0, 0]
    assert [(row.name, row.role, row.cells[0].value) for row in table.rows[2:]] == [("a still", Role.CONTROL, 1.0)]
    assert table_text(table, form).count("a still of the references scores better") == 1


def test_a_terminal_has_a_line_a_metric(run):
    shown = terminal_text(run(1.5, LADDER | {"still": 1.2}), digits=4, width=80).splitlines()
    at = shown.index("beside copies of the references (! where a still or a frozen mouth would win):")
    assert shown[at + 1] == "! lmd 1.5000: worse than a still; between crf 18 and crf 30"
    assert "beside copies" not in terminal_text(run(1.5, {}), digits=4, width=80)


def test_the_table_of_controls_goes_from_mild_to_strong():
    assert {control.label for control in CONTROLS.values() if not control.label} == set()
    assert CONTROLS.keys() >= set(NO_PERFORMANCE)
    crfs = [control.crf for control in CONTROLS.values() if control.ladder == "crf"]
    assert crfs == sorted(crfs)
