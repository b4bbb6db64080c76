"""Ranking: equal signatures share a column, what tests can't part shares a place, controls are never ranked."""

from dataclasses import replace

import numpy as np
import pytest
from support.boards import made_entry

from thgeval.significance import by_clips, p_by_clips
from thgeval.statistics import Resampling
from thgeval_leaderboard.board import boards, table
from thgeval_leaderboard.entry import Event
from thgeval_leaderboard.ranking import columns, normalised, places

RNG = np.random.default_rng(0)
BASE = RNG.normal(30, 3, 12)


def entry(id, shift, spread=0.2, **more):
    return made_entry(id, {"psnr": BASE + shift + RNG.normal(0, spread, 12)}, **more)


def board(*entries):
    return {each.id: each for each in entries}, columns(entries)


def test_clear_differences_are_ranks_and_small_ones_are_ties():
    entries, (column,) = board(entry("low", -5), entry("best", 5), entry("also", 4.95), entry("mid", 0))
    found = places(column, entries)
    assert {id: place.rank for id, place in found.items()} == {"best": 1, "also": 1, "mid": 3, "low": 4}
    assert found["best"].tied == 1


def test_ties_chain_down_from_the_neighbour_above_but_never_to_the_best_against_a_test():
    entries, (column,) = board(*(entry(f"s{at}", -0.25 * at, spread=0.3) for at in range(8)))
    found = places(column, entries)
    ordered = sorted(found.values(), key=lambda place: place.rank)
    assert ordered[0].rank == 1
    assert found["s0"].rank == 1
    assert found["s7"].rank > 1


def test_controls_withdrawn_and_unreliable_entries_hold_no_place():
    entries, (column,) = board(
        entry("a", 0),
        entry("b", -4),
        entry("still", 9, role="control"),
        entry("truth", 20, role="ground-truth"),
        entry("gone", 5).after(Event("2026-11-29", "withdrawn", "a mistake")),
        replace(entry("odd", 5), unreliable="cropped"),
    )
    assert set(places(column, entries)) == {"a", "b"}
    assert places(column, entries)["a"].rank == 1


def test_a_mean_over_fewer_clips_does_not_compete():
    few = made_entry("few", {"psnr": BASE[:6] + 50})
    entries, (column,) = board(entry("a", 0), entry("b", -4), few)
    assert set(places(column, entries)) == {"a", "b"}


def test_other_signatures_split_a_column_and_say_by_what():
    _, found = board(entry("a", 0), entry("b", 0), entry("c", 9, tokens={"psnr": "region:face"}))
    assert [set(column.scores) for column in found] == [{"a", "b"}, {"c"}]
    assert found[1].also == (("region:face",), ())


def test_scores_are_placed_between_the_worst_control_and_the_truth():
    entries, (column,) = board(
        entry("a", 0, 0), entry("c1", -10, 0, role="control"), entry("c2", -2, 0, role="control"),
        entry("t", 10, 0, role="ground-truth"),
    )  # fmt: skip
    found = normalised(column, entries)
    assert found == pytest.approx({"a": 0.5, "c1": 0.0, "c2": 0.4, "t": 1.0})
    del entries["t"]
    assert normalised(columns(list(entries.values()))[0], entries) == {}


@pytest.mark.parametrize("clips", [4, 12, 20])
def test_many_tests_at_once_give_what_each_gives_alone(clips):
    shape = (5, clips)
    first = np.stack([RNG.normal(size=shape), RNG.uniform(1, 3, shape)], axis=-1)
    second = np.stack([RNG.normal(0.5, 1, size=shape), first[..., 1]], axis=-1)
    alone = [by_clips(ours, theirs, Resampling(500, 3)).p for ours, theirs in zip(first, second, strict=True)]
    assert p_by_clips(first, second, Resampling(500, 3)).tolist() == alone


def test_controls_of_a_data_set_stand_on_all_its_boards_of_their_protocol():
    control = entry("ctl", -0.5, role="control")
    control = replace(control, board=replace(control.board, setting="control"))
    other = entry("other", 0)
    other = replace(other, board=replace(other.board, setting="cross-audio"))
    elsewhere = entry("elsewhere", 0)
    elsewhere = replace(elsewhere, board=replace(elsewhere.board, dataset="another@1"))
    ids = {
        name: [each.id for each in own] for name, own in boards([control, entry("own", 0), other, elsewhere]).items()
    }
    assert ids == {
        "another-1.self-audio.native-1": ["elsewhere"],
        "synth-v1-1.control.native-1": ["ctl"],
        "synth-v1-1.cross-audio.native-1": ["other", "ctl"],
        "synth-v1-1.self-audio.native-1": ["own", "ctl"],
    }


def test_another_protocol_is_another_board():
    other = entry("other", 0)
    other = replace(other, board=replace(other.board, protocol="thg256@1"))
    assert list(boards([entry("own", 0), other])) == [
        "synth-v1-1.self-audio.native-1",
        "synth-v1-1.self-audio.thg256-1",
    ]


def test_a_score_over_fewer_clips_says_so():
    few = entry("few", 0)
    score = few.run.scores["psnr"]
    few = replace(few, run=replace(few.run, scores={"psnr": replace(score, clips=score.clips - 3)}))
    cells = {row.entry.id: row.cells[0].why for row in table([entry("all", 0), few]).rows}
    assert cells == {"all": "", "few": "over 9 clips, others over 12"}


def of_two(id, psnr, lmd, **more):
    noise = RNG.normal(0, 0.01, (2, 12))
    return made_entry(id, {"psnr": BASE + psnr + noise[0], "lmd": 5 + BASE / 30 - lmd + noise[1]}, **more)


def test_places_add_up_over_the_columns_that_have_them_with_ties_as_their_mean():
    entries = [of_two("a", 3, 0), of_two("b", 2, 0), of_two("c", 1, 2), of_two("ctl", 9, 9, role="control")]
    found = table(entries)
    assert [found.heads[at].key for at in found.summed] == ["psnr", "lmd"]
    assert found.sums_of_places == {"a": 1 + 2.5, "b": 2 + 2.5, "c": 3 + 1}


def test_an_entry_without_a_place_has_no_sum_and_one_column_makes_none():
    short = of_two("short", 9, 9)
    run = short.run
    short = replace(short, run=replace(run, scores={"psnr": run.scores["psnr"]}))
    found = table([of_two("a", 3, 0), of_two("b", 2, 1), short])
    assert set(found.sums_of_places) == {"a", "b"}
    assert table([entry("a", 3), entry("b", 0)]).sums_of_places == {}


def test_the_sum_of_places_orders_no_table():
    entries = [of_two("a", 3, 0), of_two("b", 2, 1), of_two("c", 1, 2)]
    assert [row.entry.id for row in table(entries).rows] == ["a", "b", "c"]
    assert set(table(entries).sums_of_places.values()) == {4.0}
