"""The demo's table says what ``thgeval score`` says."""

from pathlib import Path

import numpy as np

from thgeval.cli.tables import interval, reference, score_text
from thgeval.engine.run import evaluate
from thgeval_baselines.showcase import systems_table


def test_intervals_and_the_references_own_values_are_printed_as_scores_are(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    for side in ("generated", "reference"):
        (tmp_path / side).mkdir()
        for clip in range(3):
            frames = np.repeat(rng.integers(0, 256, (4, 16, 16, 1), np.uint8), 3, axis=3)
            np.save(tmp_path / side / f"{clip}.npy", frames)
    np.save(tmp_path / "reference" / "2.npy", np.zeros((4, 1), np.uint8))  # no clip: its own value is not there
    run = evaluate(tmp_path / "generated", tmp_path / "reference", metrics=["psnr", "blinks-per-s", "f-mse"])
    table = systems_table({"noise": run}).splitlines()
    head, _, values, ends, own = table
    assert head.split() == ["psnr", "↑", "blinks-per-s", "≈", "f-mse", "≈"]
    for score in run.scores.values():
        assert score_text(score.value, 3) in values
        assert interval(score, 3) in ends
        assert reference(score, 3) in own
    low, high = run["f-mse"].interval or (0, 0)
    assert f"{low:.3f} .. {high:.3f}" in ends
    assert run["f-mse"].reference is not None
    assert own.startswith("(reference itself)")
