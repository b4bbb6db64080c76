"""What a run began with is its own: two runs of one process see neither each other's files nor each other's policy."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from requirements.sites import content, entry_text, sha256
from support.clips import moving

import thgeval
from thgeval import networks, registry
from thgeval.engine.run import Options
from thgeval.feature import feature
from thgeval.features.frames.frames import rgb
from thgeval.metric import Better, Metric, Needs, of_generated
from thgeval.networks import devices, memory
from thgeval.requirements import Package, Program, Weights, pinned, weights
from thgeval.requirements.weights import Policy
from thgeval.states import PooledMean

BODIES = [content(1000, seed=seed) for seed in (1, 2)]
UNVERIFIED = Options(weights=Policy(unverified=True), workers=2)


def between(number: int) -> None:
    """Called while a frame is measured; tests put something in its place."""


@feature(rgb, version=1, requires=(Weights("net"),))
def first_byte(frames, *, fail: bool = False):
    """The first byte of the weights, for every frame."""
    between(len(frames))
    if fail:
        raise RuntimeError("something nobody foresaw")
    with weights.opened("net") as file:
        return np.full(len(frames), float(file.read_bytes()[0]))


@dataclass(frozen=True)
class FirstByte(Metric[PooledMean]):
    """Reads the weights.

    Reads     the generated frames
    Returns   a byte
    Source    none
    Departs   nowhere
    """

    fail: bool = False

    name: ClassVar[str] = "first-byte"
    version: ClassVar[int] = 1
    better: ClassVar[Better] = Better.NONE
    cites: ClassVar[tuple[str, ...]] = ()
    range = (0.0, 255.0)

    @property
    def needs(self) -> Needs:
        return of_generated(first_byte(fail=self.fail))

    def measure(self, view):
        return PooledMean.of(view.clip, view.generated[first_byte(fail=self.fail)], start=view.start)

    def score(self, state):
        return state.value


@pytest.fixture(autouse=True)
def plugged(monkeypatch, manifest):
    manifest(*(entry_text(name, origin="https://example.org/net.bin", hash="unknown") for name in ("net", "other")))
    weights.folder().mkdir(parents=True)
    weights.place(weights.entry("other")).write_bytes(BODIES[0])
    known = registry.table()
    monkeypatch.setattr(registry, "table", lambda: {**known, "first-byte": f"{__name__}:FirstByte"})
    placed(BODIES[0])


def placed(body: bytes) -> None:
    weights.folder().mkdir(parents=True, exist_ok=True)
    written = weights.folder() / "new"
    written.write_bytes(body)
    written.replace(weights.place(weights.entry("net")))


def run(request: str = "first-byte", options: Options = UNVERIFIED):
    return thgeval.score(moving(6), metrics=[request], options=options)[request]


def of(body: bytes) -> tuple[float, str]:
    """What a run with these weights must say: its value, and the token of its signature."""
    return float(body[0]), f"|first-byte@1:False,unverified-{sha256(body)[:8]}|"


def test_runs_in_turn_each_have_the_weights_they_began_with():
    for body in (*BODIES, BODIES[0]):
        placed(body)
        value, token = of(body)
        score = run()
        assert score.value == value
        assert token in score.signature


@pytest.fixture
def paused(monkeypatch):
    """``paused(work, meanwhile)``: the outcomes of both, the second from while the first looks at its frames.

    Only the first looks at six of them.
    """
    reached, over = threading.Event(), threading.Event()

    def wait(frames: int) -> None:
        if frames == 6:
            reached.set()
            assert over.wait(30)

    monkeypatch.setattr(f"{__name__}.between", wait)

    def both(work, meanwhile):
        with ThreadPoolExecutor(1) as other:
            first = other.submit(work)
            assert reached.wait(30)
            try:
                second = meanwhile()
            finally:
                over.set()
            return first, second

    return both


def shorter(options: Options = UNVERIFIED):
    return thgeval.score(moving(5), metrics=["first-byte"], options=options)["first-byte"]


def test_runs_at_once_see_neither_weights_nor_signatures_of_each_other(paused):
    def other():
        placed(BODIES[1])
        found = shorter()
        placed(BODIES[0])
        return found

    first, second = paused(run, other)
    for score, body in ((first.result(), BODIES[0]), (second, BODIES[1])):
        assert score.value == of(body)[0]
        assert of(body)[1] in score.signature


def test_a_run_refuses_what_another_run_has_taken_up_since(paused):
    def other():
        placed(BODIES[1])
        return shorter()

    first, second = paused(run, other)
    assert second.value == of(BODIES[1])[0]
    with pytest.raises(thgeval.errors.WeightsError, match="is not the file that the run began with"):
        first.result()


def test_runs_at_once_have_a_policy_each(paused):
    first, second = paused(run, lambda: shorter(Options(weights=Policy())))
    assert "have no published hash" in second.unscored
    assert first.result().value == of(BODIES[0])[0]


def left() -> tuple[object, ...]:
    """What would outlive a run if it left anything behind."""
    threads = sorted(thread.name for thread in threading.enumerate())
    return weights.policy(), str(weights.problem("net")), devices.batches(), threads


@pytest.mark.parametrize("end", [None, RuntimeError, KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize("workers", [1, 3])
def test_a_run_leaves_nothing_behind_however_it_ends(monkeypatch, end, workers):
    def stop(frames: int) -> None:
        assert weights.policy() == Policy(unverified=True)
        if end is not None:
            raise end

    before = left()
    assert "have no published hash" in before[1]
    monkeypatch.setattr(f"{__name__}.between", stop)
    options = Options(weights=Policy(unverified=True), workers=workers)
    if end is KeyboardInterrupt:
        with pytest.raises(KeyboardInterrupt):
            run(options=options)
    else:
        assert (run(options=options).value is None) == (end is not None)
    assert left() == before


def test_devices_and_what_is_loaded_are_put_back_after_an_error(monkeypatch):
    gather = devices.in_batches
    monkeypatch.setattr(devices, "in_batches", lambda device, *rest: gather("cpu", *rest))

    def inside():
        outer = devices.batches()
        assert outer is not None
        assert memory.once("test_pins", lambda: "apart") == "apart"
        with devices.at("cpu"):
            assert devices.batches() is None
        assert devices.batches() is outer
        raise ZeroDivisionError

    lasting = memory.once("test_pins", lambda: "lasting")
    before = left()
    with pytest.raises(ZeroDivisionError), devices.at("cuda"), memory.apart():
        inside()
    assert left() == before
    assert memory.once("test_pins", lambda: "another") == lasting


def test_torch_has_its_threads_back_after_an_error():
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads(), torch.is_inference_mode_enabled()
    with pytest.raises(ZeroDivisionError), networks.alone(), networks.alone():
        _ = 1 / 0
    assert (torch.get_num_threads(), torch.is_inference_mode_enabled()) == before


def test_tokens_and_problems_of_every_kind(home):
    kinds = (Package("thgeval", "models"), Package("no_such_module", "models"), Weights("net"), Program("nobody"))
    token = f"unverified-{sha256(BODIES[0])[:8]}"
    assert list(pinned(kinds).values()) == ["", "", token, "absent"]
    said = [str(kind.problem("first-byte")) for kind in kinds]
    assert said[0] == "None"
    assert said[1].startswith("first-byte needs an optional package: pip install '.[models]'")
    assert "have no published hash to check them by" in said[2]
    assert said[3].startswith(f"there is no folder {home / 'checkouts' / 'nobody'}; put the model there")


def test_what_is_lacking_is_said_in_the_order_of_the_declaration():
    @feature(rgb, version=1, requires=(Package("no_such_module", "models"), Weights("net"), Program("nobody")))
    def demanding(frames):
        """A feature that can't be had."""

    made = demanding()
    assert str(made.lacks()).startswith("demanding needs an optional package")
    assert made.identity(pinned(made.requires)) == f"demanding@1:unverified-{sha256(BODIES[0])[:8]},absent"
    assert str(made) == "demanding@1"


@pytest.mark.parametrize("shared", [True, False])
def test_what_was_read_is_taken_up_again_by_what_the_file_is(shared):
    read = []

    def reading(file):
        read.append(file.read_bytes())
        return read[-1]

    with memory.apart():
        for body in (BODIES[0], BODIES[0], BODIES[1], BODIES[0]):
            placed(body)
            with weights.allowed(Policy(unverified=True)):
                assert memory.read_once("net", reading, shared=shared) == body
        with pytest.raises(thgeval.errors.WeightsError, match="have no published hash"):
            memory.read_once("other", reading, shared=shared)
    assert read == BODIES


def test_what_threads_must_not_share_each_has_of_its_own():
    with ThreadPoolExecutor(2) as threads:
        barrier = threading.Barrier(2)

        def two():
            barrier.wait(10)
            return [memory.own("test_pins", object) for _ in range(2)]

        first, second = (each.result() for each in [threads.submit(two) for _ in range(2)])
    assert first[0] is first[1]
    assert second[0] is second[1]
    assert first[0] is not second[0]
