"""Comparing result files: what decides, one correction, what can't be reached, and what is told of unlike results."""

import json

import numpy as np
import pytest
from support.results import NAMES, of, writer

from thgeval.comparison import compared
from thgeval.errors import ProtocolError
from thgeval.statistics import Resampling


@pytest.fixture
def result(tmp_path):
    """Write a result file of hand-made metrics."""
    return writer(tmp_path)


def at(*paths):
    return compared(paths, Resampling(2000, 1))


def test_a_metric_that_is_best_at_the_references_value_tells_who_is_nearer(result):
    """Both were "differs": the system's mean is above the baseline's, and nearer to the reference's clip by clip."""
    own = np.linspace(1, 2, 10)
    base = result("base", {"m": of(own - 1, own=own, better="closer-to-reference")})
    near = result("near", {"m": of(own + np.tile([0.1, 0.3], 5), own=own, better="closer-to-reference")})
    found = at(base, near)
    (row,) = found.rows
    assert (row.compares, row.better, row.verdict) == ("distance to reference", 1, "better")
    assert row.difference == pytest.approx(-0.8)
    assert row.score - row.baseline_score == pytest.approx(1.2)
    assert found.groups["m"] == {"near": 1, "base": 2}
    assert at(near, base).rows[0].verdict == "worse"


def test_errors_that_cancel_are_not_near_zero(result):
    """Offsets of +5 and -5 have a mean of 0."""
    base = result("base", {"m": of([1, 1.2] * 5, better="closer-to-zero")})
    cancel = result("cancel", {"m": of([5, -5] * 5, better="closer-to-zero")})
    (row,) = at(base, cancel).rows
    assert (row.compares, row.verdict) == ("distance to zero", "worse")
    assert row.score == 0


def test_old_results_without_reference_values_are_compared_but_not_decided(result):
    base = result("base", {"m": of(np.arange(10), better="closer-to-reference")})
    system = result("system", {"m": of(np.arange(10) + 2.5, own=np.arange(10), better="closer-to-reference")})
    found = at(base, system)
    assert (found.rows[0].compares, found.rows[0].verdict, found.groups["m"]) == ("score", "differs", {})
    assert "which is better by m can't be told: no reference values per clip in base" in found.notes


def test_one_correction_runs_over_all_tests_and_groups_rest_on_it(result):
    """Eight clips and 12 tests: group 1 against 2 stood beside "p Holm 0.0816"."""
    rng = np.random.default_rng(1)
    metrics = {f"m{number}": rng.normal(size=8) for number in range(6)}
    names = NAMES[:8]
    base = result("base", {key: of(values, names) for key, values in metrics.items()})
    better = result("better", {key: of(values + 9 + rng.random(8), names) for key, values in metrics.items()})
    same = result("same", {key: of(values + rng.normal(size=8), names) for key, values in metrics.items()})
    found = at(base, better, same)
    assert found.tests == 18
    assert min(row.corrected_p for row in found.rows) == pytest.approx(18 * 2 / 2**8)
    assert {row.verdict for row in found.rows if row.system == "better"} == {"too few clips"}
    assert all(set(groups.values()) == {1} for groups in found.groups.values())
    assert "too few clips: with 8 clips and 18 tests no p after Holm below 0.14 is possible" in found.notes


def test_five_clips_are_too_few_for_any_difference(result):
    base, system = (result(name, {"m": of(np.arange(5) + up, NAMES[:5])}) for name, up in (("a", 0), ("b", 9)))
    found = at(base, system)
    assert (found.rows[0].p, found.rows[0].verdict) == (2 / 2**5, "too few clips")
    assert "too few clips: with 5 clips and 1 test no p after Holm below 0.062 is possible" in found.notes


def test_too_few_draws_are_told(result):
    many = [f"clip{number:03}" for number in range(30)]
    metrics = {f"m{number}": of(np.arange(30), many) for number in range(8)}
    first, second = (result(name, metrics) for name in "ab")
    found = compared((first, second), Resampling(100, 1))
    assert found.notes == (
        "too few draws: with 8 tests no p after Holm below 0.079 is sure to be possible; 160 draws are enough",
    )


def sets(values, names, **more):
    return {"sets": dict(zip(names, map(float, values), strict=True)), "better": "lower"} | more


def test_metrics_of_sets_are_tested_by_the_jackknife_of_their_difference(result):
    """They were skipped for "0 shared clips with a value"."""
    rng = np.random.default_rng(2)
    names = [f"clip{number:03}" for number in range(40)]
    values = rng.normal(size=40)
    base = result("base", {"fid": sets(values, names)})
    better = result("better", {"fid": sets(values - 0.5 + 0.3 * rng.normal(size=40), names)})
    found = at(base, better)
    (row,) = found.rows
    assert (row.test, row.verdict, row.clips) == ("jackknife", "better", 40)
    assert row.interval.low < row.difference < row.interval.high < 0
    assert found.groups["fid"] == {"better": 1, "base": 2}


def test_metrics_of_sets_that_can_not_be_compared_say_why(result):
    names = [f"clip{number}" for number in range(8)]
    base = result("base", {"fid": sets(np.arange(8), names)})
    other = result("other", {"fid": sets(np.arange(8), ["odd", *names[1:]])})
    old = result("old", {"fid": sets(np.arange(8), names)})
    with pytest.raises(ProtocolError, match="not in every score: clip0 in base alone; odd in other alone"):
        at(base, other)
    data = json.loads(old.read_text())
    del data["scores"]["fid"]["groups"]
    old.write_text(json.dumps(data))
    with pytest.raises(ProtocolError, match="and old no scores without groups of clips: single clips and medians"):
        at(base, old)


def test_results_of_another_protocol_are_told_apart_by_their_tokens(result):
    base = result("base", {"m": of(np.arange(10))})
    other = result("other", {"m": of(np.arange(10))}, tokens="25fps|256px")
    with pytest.raises(ProtocolError, match=r"made differently: fps:native in base \| 25fps 256px in other"):
        at(base, other)


def test_clips_and_metrics_of_one_result_alone_and_limits_are_told(result):
    more = {f"extra{number}": of(np.arange(10)) for number in range(3)}
    base = result("base", {"m": of(np.arange(10))} | more)
    system = result("system", {"m": of(np.arange(7) + 0.5, NAMES[3:])}, limit=7)
    found = at(base, system)
    assert found.rows[0].clips == 7
    assert found.rows[0].of_clips == 10
    assert found.notes[:3] == (
        "system holds its first 7 clips alone (--limit)",
        "3 of 10 clips of base are not in every result: clip00, clip01, clip02",
        "not compared, as system doesn't have them: extra0, extra1, extra2",
    )
