"""Validation while a model trains: it disturbs nothing, tells better from worse, and survives what may go wrong."""

import csv
import random
from contextlib import contextmanager

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("torchmetrics")

from torch import nn

from thgeval import training
from thgeval.comparison import compared
from thgeval.errors import OutputError, ProtocolError
from thgeval.report import page
from thgeval.results import Run
from thgeval.statistics import Resampling
from thgeval.training import PSNR, Validation
from thgeval.training.sinks import to_csv
from thgeval.training.validation import runs_in

FRAMES, SIDE, CLIPS = 2, 12, 7


def drawn_anywhere():
    """A number from each of the random states that a loop may draw from beside torch's."""
    return random.random() + np.random.rand()  # noqa: NPY002


def seeded(seed):
    """All random states from one number."""
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002


class Painter(nn.Module):
    """Frames from a number each: with batch norm and dropout, which differ between training and evaluation."""

    def __init__(self):
        super().__init__()
        self.make = nn.Linear(4, 3 * SIDE * SIDE)
        self.norm, self.drop = nn.BatchNorm1d(3 * SIDE * SIDE), nn.Dropout(0.3)
        self.register_buffer("calls", torch.zeros(()))
        self.frozen = nn.BatchNorm1d(4).eval()

    def forward(self, inputs):
        self.calls += 1
        clips, frames = inputs.shape[:2]
        rows = self.drop(self.norm(self.make(self.frozen(inputs.flatten(0, 1)))))
        return torch.sigmoid(rows).reshape(clips, frames, 3, SIDE, SIDE)


def made_clips(count=CLIPS, seed=0):
    drawn = torch.Generator().manual_seed(seed)
    return {
        f"clip-{number}": (
            torch.randn(FRAMES, 4, generator=drawn),
            torch.rand(FRAMES, 3, SIDE, SIDE, generator=drawn),
        )
        for number in range(count)
    }


def towards(share):
    """A generator that is given references, and comes so near to them; the noise is drawn."""

    def generate(references):
        noise = torch.rand_like(references) + 0.01 * drawn_anywhere()
        return (share * references + (1 - share) * noise).clamp(0, 1)

    return generate


def copies(count=CLIPS):
    """Clips whose input is the reference."""
    return {name: (reference, reference) for name, (_, reference) in made_clips(count).items()}


def validation(generate, clips=None, **how):
    return Validation(nn.Linear(1, 1), clips or copies(), generate, metrics=["psnr"], data_range=1.0, **how)


def trained(steps, watch):
    """Losses, weights and random numbers after some steps of training, looked at after each of them or not."""
    seeded(0)
    model = Painter()
    model.frozen.eval()
    optimiser = torch.optim.Adam(model.parameters(), 1e-2)
    looks = Validation(model, made_clips(3), metrics=["psnr"], data_range=1.0, every_steps=1) if watch else None
    losses = []
    for step in range(steps):
        if looks is not None:
            assert looks.step(step) is not None
        inputs = torch.randn(2, FRAMES, 4) + drawn_anywhere()
        loss = model(inputs).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    state = {name: value.clone() for name, value in model.state_dict().items()}
    return losses, state, (torch.rand(3), drawn_anywhere(), drawn_anywhere(), model.training, model.frozen.training)


def test_training_with_it_is_training_without_it_to_the_bit():
    alone, watched = trained(4, watch=False), trained(4, watch=True)
    assert alone[0] == watched[0]
    assert alone[1].keys() == watched[1].keys()
    assert all(torch.equal(alone[1][name], watched[1][name]) for name in alone[1])
    assert torch.equal(alone[2][0], watched[2][0])
    assert alone[2][1:] == watched[2][1:]
    assert alone[2][3:] == (True, False)


def test_switches_are_put_back_whatever_a_generator_does():
    def rude(references):
        torch.backends.cudnn.benchmark = not before[0]
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(True)
        raise RuntimeError("and then it fails")

    def state():
        return (
            torch.backends.cudnn.benchmark,
            torch.are_deterministic_algorithms_enabled(),
            torch.get_default_dtype(),
            torch.is_grad_enabled(),
        )

    before = state()
    with pytest.warns(UserWarning, match="and then it fails"):
        checked = validation(rude).check(0)
    assert state() == before
    assert checked.coverage == (0, CLIPS)
    assert checked.verdict == "can't tell"
    assert np.isnan(checked.scores["psnr"])


def test_each_check_draws_the_same_noise():
    looks = validation(towards(0.5))
    first, second = looks.check(0), looks.check(1)
    assert first.scores == second.scores
    assert validation(towards(0.5), seed=9).check(0).scores != first.scores


def test_verdicts_are_those_of_compare(tmp_path):
    """Better, worse and can't tell, by the test of the two files that were written."""
    looks = Validation(
        nn.Linear(1, 1), copies(), towards(0.5), metrics=["psnr"], data_range=1.0, folder=tmp_path, patience=2
    )
    assert looks.check(0).verdict == "first"
    looks.generate = towards(0.6)
    better = looks.check(5)
    assert (better.verdict, better.best_step, better.since_best, better.should_stop) == ("better", 5, 0, False)
    looks.generate, looks.seed = towards(0.6), 100
    same = looks.check(10)
    assert (same.verdict, same.best_step, same.since_best, same.should_stop) == ("can't tell", 5, 1, False)
    looks.generate = towards(0.3)
    worse = looks.check(15)
    assert (worse.verdict, worse.best_step, worse.since_best, worse.should_stop) == ("worse", 5, 2, True)
    files = [tmp_path / f"step-{step:08d}.json" for step in (5, 15)]
    (row,) = compared(files, Resampling(draws=10_000)).rows
    assert (row.verdict, row.p, row.difference) == ("worse", worse.test.p, worse.test.difference)
    assert list(runs_in(tmp_path)) == [0, 5, 10, 15]


def test_a_run_file_is_one_like_any_other(tmp_path):
    checked = validation(towards(0.5), folder=tmp_path).check(3)
    run = Run.read(checked.path)
    assert run["psnr"].value == checked.scores["psnr"]
    assert run["psnr"].interval is not None
    assert "n:7/7" in run["psnr"].signature
    assert "clip-0" in page(run)
    metric = PSNR(data_range=1.0)
    for name, (inputs, reference) in copies().items():
        seeded(list(copies()).index(name))
        metric.update(towards(0.5)(inputs[None]), reference[None], clips=[name])
    assert metric.result()["psnr"].value == checked.scores["psnr"]


def test_the_best_outlives_a_restart():
    looks = validation(towards(0.6))
    looks.check(0)
    again = validation(towards(0.4))
    again.load_state_dict(looks.state_dict())
    checked = again.check(7)
    assert (checked.verdict, checked.best_step) == ("worse", 0)
    assert validation(towards(0.4)).state_dict()["best"] is None


def test_when_it_is_time():
    looks = validation(towards(0.5), clips=copies(2), every_steps=4)
    assert [step for step in (*range(10), 8) if looks.step(step)] == [0, 4, 8]
    looks = validation(towards(0.5), clips=copies(2), every_steps=4, run_at_start=False)
    assert [step for step in range(5) if looks.step(step)] == [4]


def test_steps_that_are_passed_over_count():
    looks = validation(towards(0.5), clips=copies(2), every_steps=500, run_at_start=False)
    assert [step for step in range(0, 1600, 137) if looks.step(step)] == [548, 1096, 1507]
    for none in (-1, 2.5, "4"):
        with pytest.raises(ProtocolError, match="steps are counted from 0 in whole numbers"):
            looks.step(none)


def test_averaged_weights_are_looked_at_where_autocast_has_others_in_its_cache():
    model = nn.Linear(4, 3 * SIDE * SIDE)

    def generate(inputs):
        return torch.sigmoid(model(inputs).float()).reshape(-1, FRAMES, 3, SIDE, SIDE)

    average = {name: value + 0.5 for name, value in model.state_dict().items()}
    looks = Validation(model, made_clips(2), generate, metrics=["l1"], data_range=1.0, ema=average)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        right = looks.check(0).scores
        model(torch.zeros(1, 4))
        assert looks.check(1).scores == right
        assert torch.is_autocast_cache_enabled()


def test_an_object_that_is_in_use_stays_so():
    mine = PSNR(data_range=1.0)
    mine.update(*torch.rand(2, 1, 3, 8, 8))
    before = mine.compute()
    Validation(nn.Linear(1, 1), copies(2), towards(0.5), metrics=[mine], data_range=1.0).check(0)
    assert mine.compute() == before


def test_weights_are_known_by_the_names_that_wrappers_give_them():
    model = nn.Linear(4, 3 * SIDE * SIDE)
    average = {name: value + 0.1 for name, value in model.state_dict().items()}

    def score(looked_at, ema):
        def generate(inputs):
            return torch.sigmoid(looked_at(inputs)).reshape(-1, FRAMES, 3, SIDE, SIDE)

        return Validation(looked_at, made_clips(2), generate, metrics=["l1"], data_range=1.0, ema=ema).check(0).scores

    right = score(model, average)
    compiled = torch.compile(model, backend="eager")
    assert score(compiled, average) == right
    assert score(model, {f"module._orig_mod.{name}": value for name, value in average.items()}) == right


def test_buffers_that_are_replaced_are_put_back():
    class Remembers(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("last", torch.zeros(1))

        def forward(self, references):
            self.last = self.last + 1
            return references * 0.9

    model = Remembers()
    held = model.last
    Validation(model, copies(2), metrics=["psnr"], data_range=1.0).check(0)
    assert model.last is held
    assert held.item() == 0


def test_averaged_weights_are_looked_at_and_left(tmp_path):
    model = nn.Linear(4, 3 * SIDE * SIDE)
    average = nn.Linear(4, 3 * SIDE * SIDE)
    before = model.weight.clone()

    def generate(inputs):
        return torch.sigmoid(model(inputs)).reshape(-1, FRAMES, 3, SIDE, SIDE)

    def score(ema):
        return Validation(model, made_clips(2), generate, metrics=["l1"], data_range=1.0, ema=ema).check(0).scores

    @contextmanager
    def swapped():
        own = {name: value.clone() for name, value in model.state_dict().items()}
        model.load_state_dict(average.state_dict())
        yield
        model.load_state_dict(own)

    by_module, by_name, by_context = score(average), score(average.state_dict()), score(swapped)
    assert by_module == by_name == by_context != score(None)
    assert score(torch.optim.swa_utils.AveragedModel(average)) == by_module
    assert torch.equal(model.weight, before)
    with pytest.raises(ProtocolError, match="'other', which the model doesn't have"):
        score({"other": before})
    with pytest.raises(ProtocolError, match="'bias' has the shape"):
        score({"bias": before})
    assert torch.equal(model.weight, before)


def test_a_time_budget_leaves_clips_out_and_says_so(tmp_path):
    looks = validation(towards(0.5), time_budget_s=0.0, folder=tmp_path)
    with pytest.warns(UserWarning, match="6 of 7 clips left out, not reached: the time budget of 0 s"):
        checked = looks.check(0)
    assert checked.partial
    assert checked.coverage == (1, 7)
    run = Run.read(checked.path)
    assert "n:1/7" in run["psnr"].signature
    assert run["psnr"].left_out == {"not reached": 6}
    assert {clip.failure.reason for clip in run.failures} == {"not reached"}


def test_memory_that_runs_out_halves_the_batch():
    sizes = []

    def greedy(references):
        sizes.append(len(references))
        if len(references) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return references * 0.9

    looks = validation(greedy, batch_clips=6)
    with pytest.warns(UserWarning, match="memory ran out with"):
        checked = looks.check(0)
    assert checked.coverage == (7, 7)
    assert sizes == [6, 3, 2, 1, 3, 2, 1, 1]
    assert looks.batch_clips == 2
    assert checked.scores == pytest.approx(validation(lambda made: made * 0.9).check(0).scores, rel=1e-12)


def test_memory_that_runs_out_for_one_clip_leaves_it_out():
    def hopeless(references):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    with pytest.warns(UserWarning, match="memory ran out with clip-0 alone"):
        assert validation(hopeless, clips=copies(1)).check(0).run.failures[0].failure.reason == "out of memory"


@pytest.mark.parametrize(
    ("generate", "said"),
    [
        (lambda references: references[..., :-1], "a tensor of the shape .* of clip-0, and its reference asks for"),
        (lambda references: references[:, :1], "asks for"),
        (lambda references: None, "a NoneType"),
        (lambda references: references * 2, "outside data_range"),
        (lambda references: references * float("nan"), "NaN"),
        (lambda references: references.double(), "bring both to one type"),
    ],
)
def test_what_a_generator_makes_wrong_is_one_sentence(generate, said):
    with pytest.warns(UserWarning, match=said) as warned:
        checked = validation(generate, clips=copies(2)).check(0)
    assert len(warned) == 1
    assert checked.coverage == (0, 2)


def test_one_bad_clip_leaves_the_others_alone():
    def half(references):
        if len(references) > 1 or references[0, 0, 0, 0, 0] == bad:
            raise ValueError("a clip it can't do")
        return references * 0.9

    clips = copies(3)
    bad = clips["clip-1"][0][0, 0, 0, 0]
    with pytest.warns(UserWarning, match="1 of 3 clips left out, can't be generated: clip-1"):
        checked = validation(half, clips=clips, batch_clips=3).check(0)
    assert checked.coverage == (2, 3)


def test_clips_of_several_shapes_share_no_batch():
    clips = copies(4)
    clips["clip-1"] = tuple(side[:, :, :-1] for side in clips["clip-1"])
    sizes = []

    def generate(references):
        sizes.append(len(references))
        return references * 0.9

    assert validation(generate, clips=clips, batch_clips=4).check(0).coverage == (4, 4)
    assert sizes == [1, 1, 2]


def test_clips_that_cannot_be_loaded_are_left_out():
    class Lazy(dict):
        def __getitem__(self, name):
            if name == "clip-0":
                raise OSError("the disk is gone")
            return super().__getitem__(name)

    clips = Lazy(copies(2), flat=(torch.zeros(3), torch.zeros(3)))
    with pytest.warns(UserWarning, match="left out") as warned:
        checked = validation(towards(0.5), clips=clips).check(0)
    lost, flat = sorted(str(one.message).partition(": ")[2] for one in warned)
    assert lost == "1 of 3 clips left out, can't be loaded: clip-0 can't be loaded: OSError: the disk is gone"
    assert flat.startswith("1 of 3 clips left out, wrong shape: the reference of flat must be a tensor")
    assert flat.endswith("not a tensor of the shape (3,)")
    assert checked.coverage == (1, 3)


def test_a_metric_that_cannot_measure_leaves_the_others_alone():
    looks = Validation(nn.Linear(1, 1), copies(2), towards(0.5), metrics=["psnr", "ms-ssim"], data_range=1.0)
    with pytest.warns(UserWarning, match="2 of 2 clips left out"):
        checked = looks.check(0)
    assert checked.run["ms-ssim"].value is None
    assert checked.run["psnr"].clips == 2


def test_a_metric_that_breaks_is_named_and_stops_nothing():
    class Broken(PSNR):
        def update(self, *sides, clips):
            raise torch.OutOfMemoryError("CUDA out of memory")

    metrics = [Broken(data_range=1.0), training.L1(data_range=1.0), Broken(data_range=1.0, colour="grey")]
    looks = Validation(nn.Linear(1, 1), copies(2), towards(0.5), metrics=metrics, data_range=1.0, watch="l1")
    with pytest.warns(UserWarning, match="2 of 2 clips left out, out of memory: memory ran out with clip-0") as warned:
        checked = looks.check(0)
    assert len(warned) == 1  # clips are counted, not failures
    assert (checked.run["l1"].clips, checked.run["psnr"].clips) == (2, 0)


def test_sinks_that_fail_are_named_and_the_others_get_it():
    seen = []
    looks = validation(towards(0.5), sinks=[lambda checked: 1 / 0, seen.append])
    with pytest.warns(UserWarning, match="a sink failed, and got nothing of this check: ZeroDivisionError"):
        looks.check(0)
    assert [one.step for one in seen] == [0]


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.warns(UserWarning, match="can't be written"):
        validation(towards(0.5), folder=tmp_path / "file").check(0)
    assert issubclass(OutputError, Exception)


def test_the_table_has_every_check(tmp_path):
    table = tmp_path / "runs.csv"
    looks = validation(towards(0.5), sinks=[to_csv(table)])
    looks.check(0)
    looks.generate = towards(0.7)
    checked = looks.check(2)
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [(row["step"], row["verdict"], row["best_step"]) for row in rows] == [
        ("0", "first", "0"),
        ("2", "better", "2"),
    ]
    assert float(rows[1]["value"]) == checked.scores["psnr"]
    assert float(rows[1]["low"]) == checked.run["psnr"].interval.low
    other = tmp_path / "notes.csv"
    other.write_text("a,b\n")
    with pytest.warns(UserWarning, match="another file than a table of checks"):
        validation(towards(0.5), sinks=[to_csv(other)]).check(0)
    assert other.read_text() == "a,b\n"


def test_the_worst_clip_is_shown(tmp_path):
    clips = copies(3)
    clips["clip-1"] = (1 - clips["clip-1"][0], clips["clip-1"][1])
    checked = validation(lambda made: made * 0.99, clips=clips, folder=tmp_path).check(4)
    assert checked.worst.clip == "clip-1"
    assert checked.worst.image.shape == (2 * SIDE, FRAMES * SIDE, 3)
    assert (tmp_path / "step-00000004.worst.webp").read_bytes() == checked.worst.content
    assert validation(lambda made: made * 0.99, clips=copies(1)).check(0).worst is None


def test_memory_is_given_back():
    looks = validation(towards(0.5))
    looks.check(0)
    assert not looks.metrics[0].tally.records.frames


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"metrics": ["fid"]}, "fid"),
        ({"watch": "ssim"}, "watch is the key of one of the metrics, psnr"),
        ({"metrics": []}, "at least one"),
        ({"every_steps": 0}, "every_steps is a whole number, at least 1, not 0"),
        ({"every_steps": 2.5}, "every_steps is a whole number, at least 1, not 2.5"),
        ({"batch_clips": None}, "batch_clips is a whole number, at least 1, not a NoneType"),
        ({"seed": "x"}, "seed is a whole number, not 'x'"),
        ({"time_budget_s": float("nan")}, "time_budget_s is a number of seconds, not nan"),
        ({"ema": 3}, "ema is tensors by name, a module, or a function that returns a context, not 3"),
        ({"sinks": print}, "sinks is a list of functions"),
        ({"generate": "model"}, "generate is a function, not 'model'"),
        ({"data_range": (0, 1, 2)}, "data_range is the value of white"),
        ({"clips": [(torch.zeros(1, 3, 4, 4),) * 2]}, "clips are a mapping, from names to inputs and reference, not a"),
        ({"clips": {3: (torch.zeros(1, 3, 4, 4),) * 2}}, "clips are called by texts, not 3"),
        ({"clips": {}}, "no clips"),
        ({"clips": copies(5), "patience": 1}, "with 5 clips no difference, however large, is significant"),
    ],
)
def test_requests_that_make_no_sense(how, said):
    how = {"clips": copies(1), "metrics": ["psnr"], "data_range": 1.0, **how}
    with pytest.raises(Exception, match=said):
        Validation(nn.Linear(1, 1), how.pop("clips"), **how)


def test_what_is_no_state_is_refused():
    with pytest.raises(ProtocolError, match="this is no state of a validation: it lacks best, best_step"):
        validation(towards(0.5)).load_state_dict({"since": 1, "last_step": 1})


def test_sharded_models_are_refused():
    class FullyShardedDataParallel(nn.Linear):
        pass

    with pytest.raises(ProtocolError, match="sharded"):
        Validation(FullyShardedDataParallel(1, 1), copies(1), data_range=1.0)
