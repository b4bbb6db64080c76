"""What scoring many clips will cost, before it is begun: hours, storage and failures, from a few that are measured.

1. A few clips, spread over all sizes, are scored by the engine itself, one at a time, and the processor time of every
   stage is taken: decoding, features by kind, networks, metrics, hashing, writing.
2. Each stage's seconds are fitted by a + b frames + c frames x pixels, none of them negative.
3. The headers of all clips, or of some where there are very many, say how large the others are.
4. Runs are simulated: clips are dealt to machines as ``--shard`` deals them, each clip costs what the fit says and what
   it missed by on one of those measured, machines go down at random and begin the clips under way anew.
"""

import math
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from thgeval.clip import Clip, Pair
from thgeval.engine.execution import execute
from thgeval.engine.job import Watcher
from thgeval.engine.options import Options
from thgeval.errors import InputError, ProtocolError
from thgeval.media import probe
from thgeval.pairing import Pairing
from thgeval.protocol import Protocol
from thgeval.results import states_folder
from thgeval.stages import SCORES, measured_stages
from thgeval.states.store import file_name

SAMPLE = 12
MOST_PROBED = 2000
MOST_RUNS, LEAST_RUNS, DRAWS = 200, 20, 5_000_000
"""Simulated runs: as many as there are draws for clips, within these."""
RESTART_S = 300.0
"""Until a machine that went down works again."""
MEGAPIXEL = 1e6
UNKNOWN_FRAMES = 100
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ClipCost:
    """What one clip took: processor seconds by stage, and bytes of its states; ``failed`` if it could not be scored."""

    size: "ClipSize"
    seconds: dict[str, float]
    state_bytes: int
    failed: bool = False


@dataclass(frozen=True)
class ClipSize:
    """How large a clip is: frames, and megapixels of all of them."""

    frames: float
    megapixels: float


@dataclass(frozen=True)
class CostModel:
    """Seconds of each stage and bytes of states as a + b frames + c megapixels; and the factors that it missed by."""

    stages: dict[str, tuple[float, float, float]]
    state_bytes: tuple[float, float, float]
    missed: tuple[float, ...]
    start_s: float
    scores_s: float
    result_bytes: float

    def seconds(self, sizes: Sequence[ClipSize]) -> dict[str, Floats]:
        """Seconds of each stage for each clip: (clips,)."""
        rows = _rows(sizes)
        return {stage: rows @ np.array(factors) for stage, factors in self.stages.items()}

    def bytes_of_states(self, sizes: Sequence[ClipSize]) -> float:
        """Bytes of the states of all clips together."""
        return float((_rows(sizes) @ np.array(self.state_bytes)).sum())


@dataclass(frozen=True)
class Forecast:
    """What a run will cost. Hours are wall clock: the median of simulated runs, and what 19 of 20 stay below."""

    clips: int
    sampled: int
    stages: dict[str, float]
    cpu_seconds: float
    hours: float
    hours_95: float
    state_bytes: float
    result_bytes: float
    failed_known: int
    failed_expected: float
    failed_95: float
    machine_failures: float
    machines: int
    cores: int


@dataclass(frozen=True)
class Fleet:
    """The machines that share a run; each goes down once in ``mtbf_h`` hours on average."""

    machines: int = 1
    cores: int = 1
    mtbf_h: float = 1000.0

    def __post_init__(self) -> None:
        if self.machines < 1 or self.cores < 1 or not self.mtbf_h > 0:
            raise ProtocolError(
                f"a fleet has machines and cores from 1 on, and hours until one goes down above 0, not "
                f"{self.machines}, {self.cores} and {self.mtbf_h:g}"
            )


@dataclass
class _Measured:
    costs: list[ClipCost] = field(default_factory=list)
    start_s: float = 0.0
    scores_s: float = 0.0
    result_bytes: float = 0.0


def forecast(
    pairing: Pairing,
    metrics: Sequence[str],
    protocol: Protocol,
    fleet: Fleet,
    *,
    options: Options | None = None,
    clips: int | None = None,
    sample: int = SAMPLE,
    seed: int = 0,
) -> Forecast:
    """Measure some clips of a run and say what all of it will cost, or what so many ``clips`` would.

    ProtocolError if there is no clip to measure.
    """
    if not pairing.pairs or pairing.packed is not None:
        raise ProtocolError(
            "there is no clip to measure: name folders that hold some (a few that were unpacked, of tars)"
        )
    sizes = _population(pairing)
    measured = _measure(pairing, metrics, protocol, options or Options(), _chosen(pairing.pairs, sizes, sample))
    model = fitted(measured.costs, measured.start_s, measured.scores_s, measured.result_bytes)
    everything = [sizes[at % len(sizes)] for at in range(clips or len(pairing.pairs))]
    stages = {stage: float(seconds.sum()) for stage, seconds in model.seconds(everything).items()}
    stages[SCORES] = model.scores_s * len(everything)
    hours, downs = simulated(model, everything, fleet, seed)
    failed = sum(cost.failed for cost in measured.costs)
    expected, most = failure_bounds(failed, len(measured.costs), len(everything))
    return Forecast(
        clips=len(everything),
        sampled=len(measured.costs),
        stages=stages,
        cpu_seconds=sum(stages.values()),
        hours=float(np.median(hours)),
        hours_95=float(np.quantile(hours, 0.95)),
        state_bytes=model.bytes_of_states(everything),
        result_bytes=model.result_bytes * len(everything),
        failed_known=len({item.id for item in pairing.unpaired}),
        failed_expected=expected,
        failed_95=most,
        machine_failures=float(downs.mean()),
        machines=fleet.machines,
        cores=fleet.cores,
    )


def fitted(costs: Sequence[ClipCost], start_s: float, scores_s: float, result_bytes: float) -> CostModel:
    """The model of measured clips; those that failed have no part in it, unless all did."""
    used = [cost for cost in costs if not cost.failed] or list(costs)
    rows = _rows([cost.size for cost in used])
    names = dict.fromkeys(stage for cost in used for stage in cost.seconds)
    stages = {name: _fit(rows, [cost.seconds.get(name, 0.0) for cost in used]) for name in names}
    wanted = np.array([sum(cost.seconds.values()) for cost in used])
    found = sum((rows @ np.array(factors) for factors in stages.values()), np.zeros(len(used)))
    missed = tuple((wanted / np.maximum(found, 1e-9)).clip(0.1, 10).tolist())
    return CostModel(stages, _fit(rows, [cost.state_bytes for cost in used]), missed, start_s, scores_s, result_bytes)


def simulated(model: CostModel, sizes: Sequence[ClipSize], fleet: Fleet, seed: int) -> tuple[Floats, Floats]:
    """Hours, and how often machines went down, in each of many runs: (runs,) twice."""
    random = np.random.default_rng(seed)
    total = sum(model.seconds(sizes).values(), np.zeros(len(sizes)))
    runs = int(np.clip(DRAWS // max(len(sizes), 1), LEAST_RUNS, MOST_RUNS))
    hours, downs = np.empty(runs), np.empty(runs)
    for run in range(runs):
        costs = total * random.choice(model.missed, len(sizes))
        machine = random.integers(0, fleet.machines, len(sizes))
        work = np.bincount(machine, costs, fleet.machines) / fleet.cores
        longest = np.zeros(fleet.machines)
        np.maximum.at(longest, machine, costs)
        alone = np.maximum(work, longest) + model.start_s
        down = random.poisson(alone / 3600 / fleet.mtbf_h)
        lost = down * (RESTART_S + model.start_s + (costs.mean() if len(costs) else 0.0))
        hours[run] = ((alone + lost).max() + model.scores_s * len(sizes)) / 3600
        downs[run] = down.sum()
    return hours, downs


def failure_bounds(failed: int, of: int, clips: int) -> tuple[float, float]:
    """How many of so many clips fail if some of a sample did: as many in share, and what 19 of 20 such shares allow."""
    from scipy.stats import beta

    share = failed / of
    most = 1.0 if failed == of else float(beta.ppf(0.95, failed + 1, of - failed))
    return share * clips, most * clips


def _rows(sizes: Sequence[ClipSize]) -> Floats:
    return np.array([[1.0, size.frames, size.megapixels] for size in sizes], dtype=np.float64).reshape(-1, 3)


def _fit(rows: Floats, values: Sequence[float]) -> tuple[float, float, float]:
    """Factors that are not negative, each clip weighing alike whatever its size."""
    wanted = np.asarray(values, dtype=np.float64)
    weights = 1 / np.maximum(wanted, max(float(wanted.mean()), 1e-12) * 0.1)
    scale = np.maximum(np.abs(rows).max(axis=0), 1e-12)
    factors, _ = nnls(rows / scale * weights[:, None], wanted * weights)
    one, two, three = (factors / scale).tolist()
    return one, two, three


def _population(pairing: Pairing) -> list[ClipSize]:
    """How large clips are, by their headers; of very many, or those elsewhere, some stand for all."""
    most = MOST_PROBED if not pairing.mirrors.mirrors else 0
    step = max(1, math.ceil(len(pairing.pairs) / most)) if most else len(pairing.pairs)
    return [_size(pair.generated) for pair in pairing.pairs[::step]]


def _size(clip: Clip) -> ClipSize:
    try:
        info = probe(clip)
    except InputError:
        return ClipSize(0.0, 0.0)
    frames = info.frames or (float(info.fps or 25) * info.duration_s if info.duration_s else UNKNOWN_FRAMES)
    return ClipSize(float(frames), float(frames) * info.width * info.height / MEGAPIXEL)


def _chosen(pairs: Sequence[Pair], sizes: Sequence[ClipSize], count: int) -> list[Pair]:
    """Clips from the smallest to the largest, evenly spread; by their place in the list where sizes aren't known."""
    if len(sizes) < len(pairs):
        return list(pairs[:: max(1, len(pairs) // count)][:count])
    order = sorted(range(len(pairs)), key=lambda at: (sizes[at].megapixels, pairs[at].id))
    picked = np.unique(np.linspace(0, len(order) - 1, min(count, len(order))).round().astype(int))
    return [pairs[order[at]] for at in picked]


def _measure(
    pairing: Pairing, metrics: Sequence[str], protocol: Protocol, options: Options, pairs: Sequence[Pair]
) -> _Measured:
    """Score some pairs, one at a time on one thread, and all of them together once more from their states."""
    found = _Measured()
    why = {item.id: item for item in pairing.unpaired}
    quiet = Watcher(plans=lambda metrics: None)

    def scored(some: Sequence[Pair], out: Path) -> tuple[dict[str, float], bool]:
        part = replace(
            pairing, pairs=tuple(some), unpaired=tuple(why[pair.id] for pair in some if pair.id in why), advice=""
        )
        asked = replace(options, workers=1, out=out, limit=None, shard=None, engine="local", shared=None)
        with measured_stages() as stages:
            run = execute(part, list(metrics), protocol, asked, quiet)
            run.write(out)
        failed = any(clip.failure is not None for clip in run.clips)
        return dict(stages.seconds), failed

    with TemporaryDirectory(prefix="thgeval-") as scratch:
        out = Path(scratch, "run.json")
        began = time.process_time()
        scored(pairs[:1], Path(scratch, "first.json"))  # compiles, and loads networks
        found.start_s = time.process_time() - began
        shutil.rmtree(states_folder(Path(scratch, "first.json")), ignore_errors=True)
        for pair in pairs:
            seconds, failed = scored([pair], out)
            seconds.pop(SCORES, None)
            out.unlink()
            place = states_folder(out) / file_name(pair.id)
            size = place.stat().st_size if place.exists() else 0
            found.costs.append(ClipCost(_size(pair.generated), seconds, size, failed))
        seconds, _ = scored(pairs, out)
        found.scores_s = seconds.get(SCORES, 0.0) / len(pairs)
        found.result_bytes = out.stat().st_size / len(pairs)
        found.start_s = max(0.0, found.start_s - sum(found.costs[0].seconds.values()))
    return found
