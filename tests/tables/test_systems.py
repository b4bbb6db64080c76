"""Systems beside each other: what shares a column, what is best, what can't be told apart, and what is footnoted."""

import numpy as np
import pytest
from support.results import NAMES, of, writer

from thgeval.errors import ProtocolError
from thgeval.results import Run
from thgeval.statistics import Resampling
from thgeval.tables import Place, Role, systems_table

TESTS = Resampling(2000, 1)


@pytest.fixture
def run(tmp_path):
    """A run of hand-made metrics by the name of its system."""
    write = writer(tmp_path)
    return lambda name, metrics, **more: Run.read(write(name, metrics, **more))


def row(table, name):
    return next(each for each in table.rows if each.name == name)


def test_the_best_is_marked_by_the_metrics_own_direction(run):
    own = np.full(10, 2.0)
    directions = ("higher", "lower", "closer-to-reference", "closer-to-zero", "none")
    systems = {
        name: run(name, {better: of(np.full(10, value), own=own, better=better) for better in directions})
        for name, value in (("low", -3.0), ("middle", 1.0), ("high", 4.0))
    }
    table = systems_table(systems)
    places = {each.name: [cell.place for cell in each.cells] for each in table.rows if each.role is Role.SYSTEM}
    best, second, other = Place
    assert places == {
        "low": [other, best, other, second, other],
        "middle": [second, second, best, best, other],
        "high": [best, other, second, other, other],
    }
    assert [cell.value for cell in table.rows[-1].cells] == [2.0] * 5


def test_equal_scores_share_their_place(run):
    table = systems_table(
        {name: run(name, {"m": of(np.full(10, value))}) for name, value in zip("abc", (2, 2, 1), strict=True)}
    )
    assert [each.cells[0].place for each in table.rows] == [Place.BEST, Place.BEST, Place.SECOND]


def test_controls_stand_below_and_win_nothing(run):
    table = systems_table(
        {"ours": run("ours", {"m": of(np.arange(10))}), "theirs": run("theirs", {"m": of(np.arange(10) - 1)})},
        {"copy": run("copy", {"m": of(np.arange(10) + 5)})},
    )
    assert [(each.name, each.role) for each in table.rows] == [
        ("ours", Role.SYSTEM),
        ("theirs", Role.SYSTEM),
        ("copy", Role.CONTROL),
    ]
    assert [each.cells[0].place for each in table.rows] == [Place.BEST, Place.SECOND, Place.OTHER]


def test_what_was_made_differently_gets_a_column_of_its_own(run):
    table = systems_table(
        {
            "ours": run("ours", {"m": of(np.arange(10)), "k": of(np.arange(10))}),
            "theirs": run("theirs", {"m": of(np.arange(10) + 1), "k": of(np.arange(10))}, tokens="fps:25"),
        },
        keys=["m"],
    )
    assert [column.heading for column in table.columns] == ["m (1) ↑", "m (2) ↑"]
    ours, theirs = table.rows
    assert [cell.value for cell in ours.cells] == [4.5, None]
    assert [cell.value for cell in theirs.cells] == [None, 5.5]
    assert [cell.place for cell in (*ours.cells, *theirs.cells)] == [Place.OTHER] * 4, (
        "there is nothing to be better than"
    )
    assert table.footnotes[0] == "made differently, and in a column of its own: fps:native instead of fps:25"


def test_ties_are_what_compare_can_not_tell_from_the_best(run):
    clips = np.arange(10.0)
    table = systems_table(
        {
            "worse": run("worse", {"m": of(clips - 5 + clips / 9)}),
            "best": run("best", {"m": of(clips)}),
            "like": run("like", {"m": of(clips + np.tile([0.1, -0.101], 5))}),
        },
        resampling=TESTS,
    )
    assert table.tested == 3
    assert {each.name: each.cells[0].tied for each in table.rows} == {"worse": False, "best": False, "like": True}
    assert not any(
        each.cells[0].tied for each in systems_table({"a": run("a", {"m": of(clips)})}, resampling=TESTS).rows
    )


def test_no_test_has_its_reason_and_so_has_a_cell_without_a_score(run):
    sets = dict(zip(NAMES[:4], (1.0, 2.0, 3.0, 4.0), strict=True))
    fewer = dict(list(sets.items())[:3])
    clips = of(np.arange(10))
    table = systems_table(
        {
            "a": run("a", {"set": {"sets": sets}, "m": clips, "words": {"unscored": "no transcript"}}, missing=2),
            "b": run("b", {"set": {"sets": fewer}, "m": {"unscored": "no face"}}),
        },
        resampling=TESTS,
    )
    assert [column.key for column in table.columns] == ["set", "m"]
    assert "not scored by any: words" in table.remarks
    said = {
        (each.name, column.key): [table.footnotes[number - 1] for number in cell.notes]
        for each in table.rows
        for column, cell in zip(table.columns, each.cells, strict=True)
    }
    assert said["b", "m"] == ["not scored: no face"]
    assert said["a", "m"] == ["10 of 12 clips"]
    assert any(sentence.startswith("set: no test: a metric of sets") for sentence in said["b", "set"])


def test_a_metric_that_one_result_lacks_is_not_measured_there(run):
    table = systems_table(
        {"a": run("a", {"m": of(np.arange(10)), "k": of(np.arange(10))}), "b": run("b", {"m": of(np.arange(10))})}
    )
    cell = row(table, "b").cells[1]
    assert (cell.value, table.footnotes[cell.notes[0] - 1]) == (None, "not measured")


def test_references_that_differ_between_results_say_so(run):
    table = systems_table(
        {
            name: run(name, {"m": of(np.arange(10), own=own, better="closer-to-reference")})
            for name, own in (("a", np.full(10, 1.0)), ("b", np.full(10, 3.0)))
        }
    )
    (cell,) = table.rows[-1].cells
    assert cell.value == 1.0
    assert table.footnotes[cell.notes[0] - 1].startswith("from 1 to 3, as results rest on different clips")


@pytest.mark.parametrize(
    ("systems", "controls", "keys", "sentence"),
    [
        ([], [], [], "a table needs a result file"),
        (["a"], ["a"], [], "a is both a system and a control"),
        (["a"], [], ["psnr"], "psnr is in none of the results; they hold m"),
    ],
)
def test_what_makes_no_table_is_one_sentence(run, systems, controls, keys, sentence):
    found = {name: run(name, {"m": of(np.arange(10))}) for name in {*systems, *controls}}
    with pytest.raises(ProtocolError, match=sentence):
        systems_table({name: found[name] for name in systems}, {name: found[name] for name in controls}, keys=keys)
