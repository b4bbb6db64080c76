"""One run: pair, plan, decode each clip once, measure, reduce.

``score`` is for one pair of clips, ``evaluate`` for folders of them; both return a ``Run``. Clips are measured on as
many threads as there are workers; a clip that can't be scored is recorded and the run goes on.
"""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType
from typing import Any

from thgeval import networks
from thgeval.clip import Pair
from thgeval.engine import earlier
from thgeval.engine.job import Job, Watcher
from thgeval.engine.plan import Plan, plan
from thgeval.engine.provenance import Clock, decoder, environment
from thgeval.engine.scoring import Setting, run_of
from thgeval.engine.workers import available
from thgeval.errors import InputError, ProtocolError
from thgeval.files import replaceable
from thgeval.files.locking import locked
from thgeval.media.objects import clip_of
from thgeval.metrics import DEFAULT
from thgeval.networks import devices
from thgeval.pairing import Pairing, apart, paired
from thgeval.pairing.naming import Naming
from thgeval.protocol import Protocol
from thgeval.protocol import protocol as named_protocol
from thgeval.registry import GROUPS, Named
from thgeval.registry import metrics as named_metrics
from thgeval.requirements import weights
from thgeval.requirements.weights import Policy
from thgeval.results import SUFFIX, Run, states_folder
from thgeval.seen import Seen
from thgeval.signature import files, pins_of, required
from thgeval.states.store import CACHE_MODES, LOCK, Store, file_name
from thgeval.statistics import Resampling
from thgeval.version import __version__

KINDS: Mapping[str, tuple[tuple[type, ...], str]] = MappingProxyType(
    {
        "workers": ((int, type(None)), "a whole number, or None"),
        "device": ((str,), "a device's name, such as 'cpu'"),
        "cache": ((str,), "a mode's name, such as 'off'"),
        "fresh": ((bool,), "True or False"),
        "limit": ((int, type(None)), "a whole number, or None"),
        "chunk": ((int,), "a whole number"),
        "out": ((str, Path, type(None)), "a path, or None"),
        "weights": ((Policy,), "a thgeval.requirements.weights.Policy"),
        "seen": ((Seen, type(None)), "a thgeval.Seen, or None"),
        "resampling": ((Resampling,), "a thgeval.statistics.Resampling"),
    }
)
"""What fields of ``Options`` may be."""


@dataclass(frozen=True)
class Options:
    """How a run is carried out; nothing here may change a score, but the device its last digits.

    workers     threads at work; None for every core this process may use
    device      of torch networks: ``cpu``, ``cuda`` or ``cuda:N``; all else runs on the CPU
    cache       ``off``, ``read`` or ``read-write``: states of clips seen before, in ``THGEVAL_HOME``
    fresh       measure anew and replace what ``out`` holds; otherwise a run takes up what is there and adds to it
    limit       only the first clips; marked in every signature
    chunk       frames decoded at a time; 0 chooses by their size
    out         the result file; its states go to a folder beside it
    weights     which weight files may be used
    seen        one ``Seen()`` for several runs: what is found in frames, such as faces, is found once for all of them
    resampling  draws and seed of the intervals of medians
    """

    workers: int | None = None
    device: str = "cpu"
    cache: str = "off"
    fresh: bool = False
    limit: int | None = None
    chunk: int = 0
    out: str | Path | None = None
    weights: Policy = field(default_factory=Policy)
    seen: Seen | None = None
    resampling: Resampling = field(default_factory=Resampling)

    def __post_init__(self) -> None:
        for name, (kinds, what) in KINDS.items():
            value = getattr(self, name)
            if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
                raise ProtocolError(f"{name} must be {what}, not {value!r}")
        if isinstance(self.out, str):
            object.__setattr__(self, "out", Path(self.out))
        if self.workers is not None and self.workers < 1:
            raise ProtocolError(f"there must be at least one worker, not {self.workers}")
        devices.check(self.device)
        if self.cache not in CACHE_MODES:
            raise ProtocolError(f"cache must be one of {', '.join(CACHE_MODES)}, not {self.cache!r}")
        if self.limit is not None and self.limit < 1:
            raise ProtocolError(f"the limit must be at least 1, not {self.limit}")
        if self.chunk < 0:
            raise ProtocolError(f"a chunk must have at least one frame, or 0 for a size of its own, not {self.chunk}")
        if self.out is not None and Path(self.out).suffix.lower() != SUFFIX:
            raise ProtocolError(f"the result file is JSON: its name must end in {SUFFIX}, unlike {str(self.out)!r}")

    @property
    def cores(self) -> int:
        """How many threads work."""
        return self.workers or available()


def score(
    generated: Any,
    reference: Any = None,
    *,
    metrics: str | Sequence[str] = DEFAULT,
    protocol: str | Protocol = "native",
    unpaired: bool = False,
    peak: float | None = None,
    fps: float | None = None,
    options: Options | None = None,
) -> Run:
    """Score one generated clip: a path, an array or a torch tensor, against another.

    ``unpaired`` compares the two as sets of frames, of any numbers and sizes; see ``evaluate``.

    Arrays are (frames, height, width, 3) or grey (frames, height, width), tensors (frames, 3, height, width) as torch
    has them, or a list of frames: arrays, tensors or images of Pillow's. uint8 has its white at 255, floats need
    ``peak``. ``fps`` is the frame rate of arrays. The result is written where ``Options.out`` says.

    Raises ProtocolError for unknown metrics or parameters, InputError for a clip that can't be scored.
    """
    first = clip_of("generated", generated, peak=peak, fps=fps)
    second = None if reference is None else clip_of("reference", reference, peak=peak, fps=fps)
    chosen = _protocol(protocol, unpaired=unpaired)
    pair = Pair(first.id if isinstance(generated, str | Path) else "clip", first, second)
    pairs = [pair]
    if chosen.unpaired:
        if second is None:
            raise ProtocolError("without pairs, two sets are compared: give the reference too")
        sides = (("generated", first), ("reference", second))
        pairs = [replace(pair, id=side, generated=clip, reference=None, side=side) for side, clip in sides]
    said: list[str] = []
    watcher = Watcher(warns=said.append)
    run = _written(scored(Pairing(tuple(pairs), ()), metrics, chosen, _options(options), watcher), options)
    if run.failures:
        failure = run.failures[0]["failure"]
        raise InputError("; ".join([failure["message"], *said]), reason=failure["reason"])
    return run


def evaluate(
    generated: str | Path,
    reference: str | Path | None = None,
    *,
    metrics: str | Sequence[str] = DEFAULT,
    protocol: str | Protocol = "native",
    unpaired: bool = False,
    naming: Naming | None = None,
    options: Options | None = None,
    watcher: Watcher | None = None,
) -> Run:
    """Score every clip of a folder against its namesake in another; clips that fail are in ``Run.failures``.

    ``naming`` says how names are read that differ by a suffix or case, or lie in subfolders. What would help where they
    don't fit is told to the ``watcher``, or as a warning where there is none.

    ``unpaired`` compares the folders as sets, of any numbers, names, lengths and sizes of clips. Metrics that compare
    clip by clip are then refused, and metrics of single clips have the reference folder's own value beside theirs.

    Raises ProtocolError for unknown metrics or parameters, and folders that hold no clip.
    """
    for name, place in (("generated", generated), ("reference", reference)):
        if not isinstance(place, str | Path) and not (name == "reference" and place is None):
            raise ProtocolError(f"{name} must be the path of a folder or a file, not {type(place).__name__}")
    if not isinstance(naming, Naming | None):
        raise ProtocolError(f"naming must be a thgeval.Naming(...), not {type(naming).__name__}")
    chosen = _protocol(protocol, unpaired=unpaired)
    found = apart if chosen.unpaired else paired
    sides = Path(generated), Path(reference) if reference is not None else None
    pairing = found(*sides, chosen.clips, naming or Naming())
    if pairing.advice and watcher is None:
        warnings.warn(pairing.advice, stacklevel=2)
    return _written(scored(pairing, metrics, chosen, _options(options), watcher or Watcher()), options)


def _written(run: Run, options: Options | None) -> Run:
    if options is not None and options.out is not None:
        run.write(options.out)
    return run


def _options(options: Options | None) -> Options:
    if options is not None and not isinstance(options, Options):
        raise ProtocolError(f"options must be thgeval.Options(...), not {type(options).__name__}")
    return options or Options()


def _protocol(protocol: str | Protocol, *, unpaired: bool = False) -> Protocol:
    if not isinstance(protocol, str | Protocol):
        raise ProtocolError(f"a protocol is a name, or a thgeval.Protocol(...), not {type(protocol).__name__}")
    chosen = named_protocol(protocol) if isinstance(protocol, str) else protocol
    return chosen.but(pairs="none") if unpaired else chosen


def _requests(metrics: str | Sequence[str]) -> list[str]:
    """Metrics as a list of texts; one text is one metric."""
    if isinstance(metrics, str):
        return [metrics]
    given: Any = metrics
    listed = list(given) if isinstance(given, Iterable) else [given]
    if not all(isinstance(item, str) for item in listed):
        raise ProtocolError(f"metrics are names, such as ['psnr', 'ssim'], not {metrics!r}")
    if not listed:
        raise ProtocolError("no metric is named; leave metrics out for the default ones")
    return listed


def scored(
    pairing: Pairing,
    metrics: str | Sequence[str],
    protocol: str | Protocol,
    options: Options,
    watcher: Watcher | None = None,
) -> Run:
    """Measure pairs and reduce them to a run; writes nothing but checkpoints."""
    watcher = watcher or Watcher()
    chosen = _protocol(protocol)
    requests = _requests(metrics)
    named = _without_pairs(requests) if chosen.unpaired else named_metrics(requests)
    pairing = pairing.limited(options.limit)
    if same := sum(map(_is_one_file, pairing.pairs)):
        watcher.warns(f"{same} of {len(pairing.pairs)} clips are compared with themselves: both sides are one file")
    if pairing.advice:
        watcher.warns(pairing.advice)
    folder = None
    if options.out is not None:
        replaceable(Path(options.out))  # what can't be written is refused before anything is measured
        folder = states_folder(Path(options.out))
    with (
        TemporaryDirectory(prefix="thgeval-") as scratch,
        weights.allowed(options.weights),
        devices.at(options.device),
        nullcontext() if folder is None else alone(folder),
    ):
        planned = plan(named, [pair for pair in pairing.pairs if pair.side != "reference"])
        store = Store(folder, Path(scratch), options.fresh, options.cache)
        run = _reduced(named, planned, pairing, chosen, options, store, watcher)
    mismatched = not chosen.unpaired and any(clip["failure"]["reason"] in MISMATCHES for clip in run.failures)
    if mismatched and all(metric.sets for _, metric in named):
        watcher.warns(OFFER)
    return run


def _reduced(
    named: Sequence[Named],
    planned: Plan,
    pairing: Pairing,
    protocol: Protocol,
    options: Options,
    store: Store,
    watcher: Watcher,
) -> Run:
    """Everything measured, or found in the store, as a run."""
    clock = Clock()
    store.swept()
    others: tuple[Named, ...] = ()
    if options.out is not None and not options.fresh:
        before = earlier.found(Path(options.out), store, protocol)
        if before is not None:
            others, store = earlier.carried(before, named), replace(store, genuine=earlier.proof(before))
    planned = replace(planned, pins={**pins_of(*(metric for _, metric in others)), **planned.pins})
    device = devices_of((*planned.metrics, *others), devices.token(options.device))
    job = Job(
        planned, protocol, store, watcher, device, options.cores, options.chunk, others, pairing.places, options.seen
    )
    try:
        contributions = job.contributions(pairing)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_kept(store, pairing)) from None
    others, lacking = earlier.complete(others, contributions)
    if lacking:
        watcher.warns(f"no longer in {options.out}, as not all clips have states of them: {', '.join(lacking)}")
    metrics = (*named, *others)
    if store.folder is not None:
        for contribution in contributions:
            contribution.sealed({item.key for item in metrics})
    setting = Setting(
        protocol=protocol,
        resampling=options.resampling,
        expected=pairing.expected,
        run=run_tokens(protocol),
        pins=planned.pins,
        flags=() if options.limit is None else ("!limit",),
        devices=device,
    )
    recorded = {
        "metrics": [item.key for item in metrics],
        "limit": options.limit,
        "bootstrap": {"draws": options.resampling.draws, "seed": options.resampling.seed},
    }
    run = run_of(metrics, planned.unscored, contributions, setting, environment(), recorded)
    record = clock.record(workers=options.cores, device=options.device, measured=job.counts)
    terms = {name: weights.entry(name).weight_licence for name in files(*(metric for _, metric in metrics))}
    return replace(run, record={**record, "weights": terms}, places=pairing.places)


def _kept(store: Store, pairing: Pairing) -> str:
    """What an interrupted run leaves, and how to go on."""
    if store.folder is None:
        return "interrupted; nothing was kept, as no result file was named (-o OUT.json)"
    kept = sum((store.folder / file_name(pair.id)).exists() for pair in pairing.pairs)
    return (
        f"interrupted: {kept} of {len(pairing.pairs)} clips are kept in {store.folder}; the same command goes on there"
    )


def _without_pairs(requests: Sequence[str]) -> list[Named]:
    """The metrics asked for, if none compares clip by clip; of groups, those that don't."""

    def compares_clips(named: Named) -> bool:
        return named.metric.needs.a_reference and not named.metric.sets

    asked = named_metrics([request for request in requests if request not in GROUPS])
    if refused := [named.key for named in asked if compares_clips(named)]:
        raise ProtocolError(
            f"without pairs there is nothing to compare each clip with, as {', '.join(refused)} would; ask for metrics "
            "of sets, such as fid-random, or of single clips"
        )
    return [named for named in named_metrics(list(requests)) if not compares_clips(named)]


def alone(folder: Path) -> AbstractContextManager[None]:
    """The only writer of a states folder; OutputError if another process is at work there."""
    result = folder.with_suffix(".json")
    return locked(folder / LOCK, held=f"another run is writing {result}; wait for it to end, or give another name")


def _is_one_file(pair: Pair) -> bool:
    places = pair.generated.source, None if pair.reference is None else pair.reference.source
    if not isinstance(places[0], Path) or not isinstance(places[1], Path):
        return False
    try:
        return places[0].samefile(places[1])
    except (OSError, ValueError):
        return False


def devices_of(metrics: Sequence[Named], device: str) -> dict[str, str]:
    """The device of each metric that looks through a torch network, by key."""
    return {key: device for key, metric in metrics if networks.TORCH in required(metric)}


OFFER = "these metrics compare sets: --unpaired (in Python, unpaired=True) takes the folders as they are"
MISMATCHES = (
    "missing clip",
    "missing reference",
    "duplicate stem",
    "length differs",
    "size differs",
    "frame rate differs",
    "frame times differ",
    "type differs",
    "range differs",
)
"""Reasons for which a pair fails, and its clips would not without each other."""


def run_tokens(protocol: Protocol) -> dict[str, str]:
    """The run part of signatures, but for what differs between scores: coverage, device, the kind of interval."""
    return {
        "protocol": protocol.label,
        "dec": decoder(),
        "thgeval": __version__,
    }
