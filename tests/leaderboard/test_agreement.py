"""Agreement of metrics with people: what the coefficients are, at each level and of which clips; what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import curve_fit
from scipy.stats import kendalltau, pearsonr, spearmanr
from support.boards import made_run

from thgeval.cli.main import code
from thgeval.errors import ProtocolError
from thgeval.statistics import Resampling
from thgeval_leaderboard.opinions import Opinion, Opinions
from thgeval_leaderboard.opinions.agreement import LEAST_CLIPS, LEAST_METHODS, LEVELS, agreements
from thgeval_leaderboard.opinions.coefficients import (
    LEAST_FITTED,
    MOST_PAIRED,
    coefficients,
    fitted_correlation,
    over_draws,
)

DRAWS = Resampling(60, 7)
METHODS = ("a", "b", "c", "d", "e", "f")


def study(methods=METHODS, clips=12, seed=3, spread=0.3):
    """Opinions of methods that differ, and runs whose PSNR follows them, LMD the other way round, SSIM not at all."""
    rng = np.random.default_rng(seed)
    opinions, runs = [], {}
    for at, name in enumerate(methods):
        said = np.clip(1 + 0.6 * at + rng.normal(0, 0.5, clips), 0, 5)
        opinions += [Opinion(f"clip{n}", float(score), name) for n, score in enumerate(said)]
        noise = rng.normal(0, spread, clips)
        runs[name] = made_run(
            {"psnr": 25 + said + noise, "lmd": 6 - said - noise, "ssim": rng.uniform(0.5, 0.9, clips)}, name=name
        )
    return Opinions("study", tuple(opinions)), runs


def one(found, metric, level):
    return next(each for each in found.found if (each.metric, each.level) == (metric, level))


def by_hand(opinions, runs, metric):
    said = {(each.method, each.clip): each.score for each in opinions.clips}
    return {
        name: np.array([(clip.scores[metric], said[name, clip.id]) for clip in run.clips]).T
        for name, run in runs.items()
    }


def test_levels_are_what_they_say():
    opinions, runs = study()
    found = agreements(opinions, runs, DRAWS)
    own = by_hand(opinions, runs, "psnr")
    every = np.concatenate(list(own.values()), axis=1)
    means = np.array([each.mean(axis=1) for each in own.values()]).T
    for name, measure in (("SRCC", spearmanr), ("KRCC", kendalltau)):
        pooled, within, across = (
            one(found, "psnr", level).estimates[name].value for level in ("pooled", "within", "across")
        )
        assert pooled == pytest.approx(measure(*every).statistic)
        assert within == pytest.approx(np.mean([measure(*each).statistic for each in own.values()]))
        assert across == pytest.approx(measure(*means).statistic)
    assert one(found, "psnr", "across").estimates["PLCC"].value is None
    assert "needs 10 points" in one(found, "psnr", "across").estimates["PLCC"].why
    assert (one(found, "psnr", "pooled").clips, one(found, "psnr", "pooled").methods) == (72, 6)


def test_agreement_is_positive_whichever_way_a_metric_improves():
    found = agreements(*study(), DRAWS)
    for level in ("pooled", "within", "across"):
        up, down = (one(found, key, level).estimates for key in ("psnr", "lmd"))
        for name in up:
            assert up[name].value == pytest.approx(down[name].value) if up[name].value else down[name].value is None
        assert up["SRCC"].value > 0.5


def test_an_interval_holds_its_value_and_shrinks_with_the_clips():
    few, many = (agreements(*study(clips=clips), DRAWS) for clips in (12, 120))
    for level in ("pooled", "within"):
        for name in ("SRCC", "PLCC", "KRCC"):
            narrow, wide = (one(found, "psnr", level).estimates[name] for found in (many, few))
            assert narrow.interval.low < narrow.value < narrow.interval.high
            assert narrow.interval.high - narrow.interval.low < wide.interval.high - wide.interval.low


def test_an_interval_of_nothing_covers_zero_about_as_often_as_it_says():
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(30):
        x, y = rng.normal(size=(2, 30))
        low, high = np.quantile(over_draws(x, y, rng.integers(0, 30, (200, 30)))[0], [0.025, 0.975])
        held += low <= 0 <= high
    assert 24 <= held <= 30


def test_the_same_seed_gives_the_same_intervals():
    first, same, other = (agreements(*study(), Resampling(60, seed)) for seed in (7, 7, 8))
    assert first == same
    assert first != other


def logistic(x, b1, b2, b3, b4):
    return b2 + (b1 - b2) / (1 + np.exp(-(x - b3) / abs(b4)))


@pytest.mark.parametrize("count", [30, 300])
@pytest.mark.parametrize(
    "shape",
    [
        lambda x: logistic(x, 4, 1, 0.3, 0.4),
        lambda x: 0.7 * x,
        lambda x: -np.exp(x),
        lambda x: -np.tanh(3 * x),
    ],
)
def test_the_fit_is_that_of_least_squares(count, shape):
    rng = np.random.default_rng(count)
    x = rng.normal(size=count)
    y = shape(x) + rng.normal(0, 0.4, count)
    start = [np.ptp(y) * np.sign(spearmanr(x, y).statistic) + y.mean(), y.mean(), 0.0, 0.5]
    theirs = curve_fit(logistic, x, y, p0=start, maxfev=50_000)[0]
    ours = fitted_correlation(x, y)
    assert ours >= pearsonr(logistic(x, *theirs), y).statistic - 1e-6
    assert ours == pytest.approx(pearsonr(logistic(x, *theirs), y).statistic, abs=1e-4)
    assert ours == pytest.approx(fitted_correlation(7 * x - 3, 2 * y + 1), abs=1e-6)


def test_draws_have_the_coefficients_of_their_clips():
    rng = np.random.default_rng(2)
    x = np.round(rng.normal(size=40), 1)  # with ties
    y = np.round(x + rng.normal(size=40), 1)
    drawn = rng.integers(0, 40, (20, 40))
    found = over_draws(x, y, drawn)
    for at, clips in enumerate(drawn):
        each = coefficients(x[clips], y[clips])
        assert found[[0, 2], at] == pytest.approx(each[[0, 2]])
        assert found[1, at] == pytest.approx(each[1], abs=0.02)


def test_many_clips_are_drawn_as_few_are(monkeypatch):
    rng = np.random.default_rng(2)
    x, y = np.round(rng.normal(size=(2, 50)), 1)
    drawn = rng.integers(0, 50, (30, 50))
    few = over_draws(x, y, drawn)
    monkeypatch.setattr("thgeval_leaderboard.opinions.coefficients.MOST_PAIRED", 10)
    monkeypatch.setattr("thgeval_leaderboard.opinions.coefficients.AT_ONCE", 200)
    assert MOST_PAIRED > 50
    np.testing.assert_allclose(over_draws(x, y, drawn), few, atol=1e-12)


def test_a_draw_without_any_difference_has_no_coefficient():
    x, y = np.arange(12.0), np.arange(12.0)
    drawn = np.array([np.arange(12), np.zeros(12, int)])
    found = over_draws(x, y, drawn)
    assert found[:, 0] == pytest.approx(1, abs=3e-3)
    assert np.isnan(found[:, 1]).all()


def test_metrics_of_sets_are_held_against_the_methods_means():
    opinions, runs = study()
    for at, (name, run) in enumerate(runs.items()):
        clips = tuple(replace(clip, scores={**clip.scores, "psnr": None}) for clip in run.clips)
        runs[name] = replace(
            run, clips=clips, scores={**run.scores, "psnr": replace(run.scores["psnr"], value=30.0 - at)}
        )
    found = agreements(opinions, runs, DRAWS)
    assert one(found, "psnr", "across").estimates["SRCC"].value == pytest.approx(-1)
    assert found.refused["psnr pooled"].startswith("0 clips have both")


def test_a_metric_that_wants_the_references_own_value_is_nearest_best():
    opinions, _ = study(methods=("a",), clips=20)
    said = np.array([each.score for each in opinions.clips])
    values = made_run({"f-mse": 10.0 + said}).clips  # further from the reference's 10 as people like it better
    clips = tuple(replace(clip, reference_contributions={"f-mse": [20.0, 2.0]}) for clip in values)
    run = replace(made_run({"f-mse": 10.0 + said}), clips=clips)
    found = agreements(opinions, {"a": run}, DRAWS)
    assert one(found, "f-mse", "pooled").estimates["SRCC"].value == pytest.approx(-1)


@pytest.mark.parametrize(
    ("change", "what", "says"),
    [
        (lambda o, r: (o, {"a": r["a"]}), "psnr within", f"fewer than 2 methods have {LEAST_CLIPS} clips"),
        (lambda o, r: (o, {"a": r["a"]}), "psnr across", f"1 methods have values and opinions, and {LEAST_METHODS}"),
        (
            lambda o, r: (replace(o, clips=tuple(each for each in o.clips if each.clip == "clip1")), r),
            "psnr pooled",
            f"6 clips have both a value and an opinion, and {LEAST_CLIPS} are needed",
        ),
        (
            lambda o, r: (replace(o, clips=tuple(replace(each, score=3.0) for each in o.clips)), r),
            "psnr pooled",
            "all 72 clips have the same opinion",
        ),
        (
            lambda o, r: (replace(o, clips=tuple(replace(each, score=3.0) for each in o.clips)), r),
            "psnr across",
            "all 6 methods have the same mean opinion",
        ),
        (
            lambda o, r: (o, {name: made_run({"psnr": [30.0] * 12}) for name in r}),
            "psnr pooled",
            "all 72 clips have the same value",
        ),
        (
            lambda o, r: (o, r | {"a": made_run({"psnr": np.arange(12.0) + 20}, tokens={"psnr": "region:face"})}),
            "psnr",
            "its signatures differ between results",
        ),
    ],
)
def test_what_can_not_be_said_is_refused_with_the_reason(change, what, says):
    assert agreements(*change(*study()), DRAWS).refused[what].startswith(says)


def test_clips_without_a_value_are_counted_and_small_methods_named():
    opinions, runs = study()
    clips = tuple(
        replace(clip, scores={**clip.scores, "psnr": None if at else float("inf")})
        for at, clip in enumerate(runs["a"].clips[:6])
    )
    runs["a"] = replace(runs["a"], clips=clips + runs["a"].clips[6:])
    found = agreements(opinions, runs, DRAWS)
    assert one(found, "psnr", "pooled").left_out == {"not finite": 1, "no value": 5}
    assert one(found, "psnr", "pooled").clips == 66
    assert one(found, "psnr", "within").without == {"a": "6 clips have both a value and an opinion, and 10 are needed"}
    assert one(found, "psnr", "within").methods == 5


def test_clips_that_do_not_meet_are_counted():
    opinions, runs = study()
    fewer = replace(opinions, clips=opinions.clips[1:])
    assert agreements(fewer, runs, DRAWS).notes == ("1 of 72 clips of the results have no opinion",)
    assert agreements(opinions, {"a": runs["a"]}, DRAWS).notes == ("60 of 72 opinions are of clips in no result",)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda o, r: (replace(o, clips=(Opinion("x", 1.0),)), r), "no clip of a result has an opinion"),
        (lambda o, r: (o, {"run": r["a"]}), "opinions of 6 methods have the clip 'clip0'; name the result file"),
        (
            lambda o, r: (replace(o, clips=tuple(each for each in o.clips if each.method == "a")), r),
            "a and b both score the clip 'clip0', of which there is one opinion",
        ),
    ],
)
def test_clips_that_can_not_be_told_apart_are_refused(change, says):
    with pytest.raises(ProtocolError, match=says):
        agreements(*change(*study()), DRAWS)


@pytest.fixture
def files(tmp_path):
    opinions, runs = study()
    opinions.write(tmp_path / "o.json")
    for name, run in runs.items():
        run.write(tmp_path / f"{name}.json")
    return [str(tmp_path / "o.json"), *(str(tmp_path / f"{name}.json") for name in runs)]


def test_the_command_prints_what_was_found(files, capsys):
    assert code(["opinion", "correlate", *files, "--draws", "100", "-f", "csv"]) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert lines[0].startswith("metric,level,SRCC,95 % interval,PLCC")
    assert [line.split(",")[:2] for line in lines[1:4]] == [["psnr", level] for level in ("pooled", "within", "across")]
    assert code(["opinion", "correlate", *files, "--draws", "100", "-f", "json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert len(data["found"]) == 9
    assert data["found"][0]["estimates"]["SRCC"]["interval"][0] > 0
    assert LEAST_FITTED > LEAST_METHODS


def test_the_command_says_what_it_refuses(files, capsys, tmp_path):
    assert code(["opinion", "correlate", *files[:2], "--draws", "100"]) == 0
    said = capsys.readouterr()
    assert "psnr within: not correlated: fewer than 2 methods" in said.err
    assert "60 of 72 opinions are of clips in no result" in said.err
    (tmp_path / "z").mkdir()
    (tmp_path / "z" / "a.json").write_bytes((tmp_path / "a.json").read_bytes())
    assert code(["opinion", "correlate", *files[:2], str(tmp_path / "z" / "a.json")]) == 2
    assert "two result files have one name" in capsys.readouterr().err


def test_the_page_about_it_says_what_is_refused():
    said = " ".join((Path(__file__).resolve().parents[2] / "docs" / "opinions.md").read_text(encoding="utf-8").split())
    assert f"fewer than {LEAST_CLIPS} clips with a value and an opinion" in said
    assert f"fewer than {LEAST_METHODS} methods across" in said
    assert f"a fit to fewer than {LEAST_FITTED} points" in said
    assert all(f"`{level}`" in said for level in LEVELS)
