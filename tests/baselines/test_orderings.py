"""Controls of one made clip rank, under every metric that needs nothing fetched, as its definition demands."""

import json
from pathlib import Path

import pytest

from thgeval import registry
from thgeval.engine.run import Options, evaluate
from thgeval.metrics import METRICS
from thgeval.requirements import weights
from thgeval.signature import files
from thgeval_baselines.controls import worker
from thgeval_baselines.controls.table import TABLE
from thgeval_baselines.orderings import ORDERS, UNSTATED, Order, asked
from thgeval_baselines.sets.synth import make_synth

CLIP, OTHER = "s1-e01-pose", "s2-e03-still"
SECONDS, WORDS = 1.0, "Mary and Bob built a paper boat"
pytestmark = pytest.mark.usefixtures("seen_once")
LONGER = dict.fromkeys(("silent-lip-stability", "sync-envelope"), 5.0)
LONGER |= dict.fromkeys(("fvd-random:windows=all", "fvd-effnet:windows=all", "sync-lm-offset", "wer/pocketsphinx"), 1.5)
"""Seconds of the clip for metrics that need a pause, more than a few syllables, or several windows and words."""


class Scored:
    """Scores of controls of one clip, each made and measured once, when first asked for."""

    def __init__(self, folder: Path, *, seconds: float, metrics: list[str]):
        self.folder, self.metrics, self.held = folder, metrics, {}
        borrows = any(TABLE[control].needs_other for control, of in asked() if set(of) & set(metrics))
        clips = {CLIP, OTHER} if borrows else {CLIP}
        self.tasks = make_synth(folder / "set", seconds=seconds, fit_seconds=1.0, only=frozenset(clips), workers=1)
        self.reference = folder / "reference"
        self.reference.mkdir()
        for path in (folder / "set" / "reference").glob(f"{CLIP}.*"):
            (self.reference / path.name).symlink_to(path)

    def __call__(self, control: str, request: str) -> float:
        run, values = self._run(control)
        assert values[request] is not None, run.clips[0].failed.get(request)
        return values[request]

    def _run(self, control: str):
        if control not in self.held:
            requests = [metric for metric in dict(asked())[control] if metric in self.metrics]
            clips = self._made(control)
            run = evaluate(clips, self.reference, metrics=requests, options=Options(workers=1))
            self.held[control] = run, {request: run.scores[request].value for request in requests}
        return self.held[control]

    def _made(self, control: str) -> Path:
        item, other = self.tasks[CLIP], self.tasks.items[-1]
        out = self.folder / control
        out.mkdir()
        job = {
            "control": control,
            "reference": str(self.tasks.path(item.reference)),
            "other_sound": str(self.tasks.path(other.inputs["audio"])),
            "portrait": str(self.tasks.path(item.inputs["source_image"])),
            "known": {
                "made_by": dict(self.tasks.made_by),
                "identity": item.identity,
                "meta": dict(item.meta),
                "truth": {name: str(self.tasks.path(path)) for name, path in item.truth.items()},
                "size": [256, 256],
            },
            "seed": 0,
            "out": str(out),
        }
        path = self.folder / f"{control}.json"
        path.write_text(json.dumps(job), encoding="utf-8")
        assert worker.main(path) == 0
        (video,) = out.glob("raw.*")
        video.rename(out / f"{CLIP}.mp4")
        (out / f"{CLIP}.txt").write_text(WORDS, encoding="utf-8")
        return out


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """The scores that hold a metric, by its request."""
    for package in ("dlib", "skimage", "pocketsphinx"):
        pytest.importorskip(package)
    held = {}

    def of(metric: str) -> Scored:
        seconds = LONGER.get(metric, SECONDS)
        if seconds not in held:
            metrics = [order.metric for order in ORDERS if LONGER.get(order.metric, SECONDS) == seconds]
            held[seconds] = Scored(tmp_path_factory.mktemp("orderings"), seconds=seconds, metrics=metrics)
        return held[seconds]

    return of


@pytest.mark.timeout(1200)  # the first one measures a copy by every metric
@pytest.mark.parametrize("order", ORDERS, ids=lambda order: f"{order.metric}: {order.line}")
def test_controls_rank_as_the_definition_demands(order, scored):
    values = {control: scored(order.metric)(control, order.metric) for control in order.controls()}
    assert order.broken(values) == []


def test_every_metric_says_how_it_ranks_controls_or_why_it_does_not():
    said = {registry.metric(order.metric).metric.name for order in ORDERS}
    assert said == {order.name for order in ORDERS}
    assert said.isdisjoint(UNSTATED)
    lacking = sorted(METRICS.keys() - said - UNSTATED.keys())
    assert not lacking, f"state an order of controls for {', '.join(lacking)} in thgeval_baselines.orderings"
    assert UNSTATED.keys() <= METRICS.keys(), "a reason is given for what is no metric"
    assert all(UNSTATED.values())


def test_only_metrics_that_must_fetch_something_are_excused_by_it():
    excused = {name for name, why in UNSTATED.items() if "fetched" in why}
    assert excused == {name for name in METRICS if registry.embedded(name) is None}


def test_lines_are_of_known_controls_and_need_nothing_fetched():
    for order in ORDERS:
        assert set(order.controls()) <= TABLE.keys(), order
        assert order.why
        assert len(order.terms()) > 1
        read = files(registry.metric(order.metric).metric)
        assert {weights.entry(name).tier for name in read} <= {"embedded"}, order


def test_what_does_not_hold_is_said():
    order = Order("psnr", "ctl-gt > ctl-blur1 = 3", "", within=0.5)
    assert order.broken({"ctl-gt": 9.0, "ctl-blur1": 3.4}) == []
    assert order.broken({"ctl-gt": float("inf"), "ctl-blur1": 3.0}) == []
    assert order.broken({"ctl-gt": 3.6, "ctl-blur1": 3.6}) == [
        "psnr: ctl-gt (3.6) > ctl-blur1 (3.6) doesn't hold",
        "psnr: ctl-blur1 (3.6) = 3 (3) doesn't hold",
    ]
    assert len(order.broken({"ctl-gt": 4.0, "ctl-blur1": float("nan")})) == 2
