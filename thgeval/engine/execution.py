"""From pairs and requests to a run: plan, measure or look up, reduce."""

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from thgeval import networks
from thgeval.clip import Pair
from thgeval.engine import earlier
from thgeval.engine.job import Job, Watcher
from thgeval.engine.options import Options
from thgeval.engine.plan import Plan, plan, runs_on_card
from thgeval.engine.provenance import Stopwatch, decoder, environment
from thgeval.engine.scoring import Contribution, Setting, scored_run, settled
from thgeval.errors import ProtocolError
from thgeval.files import replaceable
from thgeval.kernels import places
from thgeval.metrics import GROUPS
from thgeval.networks import devices
from thgeval.pairing import Pairing
from thgeval.pairing.shards import Shard
from thgeval.protocol import Protocol
from thgeval.protocol import protocol as named_protocol
from thgeval.registry import Named
from thgeval.registry import metrics as named_metrics
from thgeval.remote.mirror import Mirrors
from thgeval.requirements import weights
from thgeval.results import Run, states_folder
from thgeval.seen import Seen
from thgeval.signature import files, pins_of, required
from thgeval.stages import SCORES, stage
from thgeval.states.store import Store, file_name, sole_writer
from thgeval.version import __version__

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


def execute(
    pairing: Pairing,
    metrics: str | Sequence[str],
    protocol: str | Protocol,
    options: Options,
    watcher: Watcher | None = None,
) -> Run:
    """Measure pairs and reduce them to a run; writes nothing but checkpoints."""
    watcher = watcher or Watcher()
    token, kernels = _device(options.device, watcher)  # what isn't there is refused before any work
    chosen = protocol_of(protocol)
    requests = _requests(metrics)
    named = _without_pairs(requests) if chosen.unpaired else named_metrics(requests)
    if options.controls:
        from thgeval.engine.controlled import check_controls  # with all that making copies takes

        check_controls(pairing, chosen)
        options = replace(options, seen=options.seen or Seen())
    uncut = pairing.limited(options.limit)
    whole = uncut.cut(chosen.excerpt)
    pairing = whole.sharded(options.part)
    if same := sum(map(_is_one_file, pairing.pairs)):
        watcher.warns(f"{same} of {len(pairing.pairs)} clips are compared with themselves: both sides are one file")
    if pairing.advice:
        watcher.warns(pairing.advice)
    folder = None
    if options.path is not None:
        replaceable(options.path)  # what can't be written is refused before anything is measured
        folder = states_folder(options.path)
    with (
        TemporaryDirectory(prefix="thgeval-") as scratch,
        weights.allowed(options.weights),
        devices.at(options.device, watcher.warns),
        nullcontext() if folder is None else sole_writer(folder),
    ):
        pairs = [pair for pair in whole.pairs if pair.side != "reference"]  # of all shards, which so plan alike
        planned = plan(named, pairs if whole.packed is None else None)
        if pairing.packed is not None:
            folders = [(Path(scratch, "tars", side), side) for side in ("generated", "reference", "beside")]
            places = {side: folder for folder, side in folders[:2]}
            pairing = replace(pairing, places=places, mirrors=Mirrors(named=tuple(folders)))
        planned = replace(planned, device=kernels)
        watcher.plans(planned.metrics)
        store = Store(folder, Path(scratch), options.fresh, options.cache, shared=options.shared)
        run = _reduced(named, planned, pairing, chosen, options, token, store, watcher)
        if options.controls:
            run = _with_copies(run, uncut, chosen, options, watcher)
    if options.part is not None:
        run = replace(run, options={**run.options, "shard": _shard_record(options.part, whole)})
    reasons = {clip.failure.reason for clip in run.clips if clip.failure is not None}
    mismatched = not chosen.unpaired and not reasons.isdisjoint(MISMATCHES)
    if mismatched and all(metric.sets for _, metric in named):
        watcher.warns(OFFER)
    return run


def _with_copies(run: Run, pairing: Pairing, protocol: Protocol, options: Options, watcher: Watcher) -> Run:
    """The run with the scores of degraded copies of its references."""
    from thgeval.engine.controlled import with_controls

    score = partial(_copies_scored, protocol=protocol, options=options, watcher=watcher)
    try:
        return with_controls(run, pairing, score, cores=options.cores, watcher=watcher)
    except KeyboardInterrupt:
        kept = " The clips are measured and kept; the same command goes on there." if options.out is not None else ""
        raise KeyboardInterrupt(f"interrupted while copies of the references were scored.{kept}") from None


def _copies_scored(
    pairing: Pairing, metrics: Sequence[str], *, protocol: Protocol, options: Options, watcher: Watcher
) -> Run:
    """A run over copies of references: its states are kept by content alone, and nobody need hear of it."""
    apart = replace(
        options,
        out=None,
        fresh=False,
        limit=None,
        shard=None,
        shared=None,
        engine="local",
        controls=False,
        cache="read-write",
    )
    quiet = replace(watcher, warns=lambda sentence: None, plans=lambda metrics: None, phase=lambda what: None)
    return execute(pairing, metrics, protocol, apart, quiet)


def _reduced(
    named: Sequence[Named],
    planned: Plan,
    pairing: Pairing,
    protocol: Protocol,
    options: Options,
    token: str,
    store: Store,
    watcher: Watcher,
) -> Run:
    """Everything measured, or found in the store, as a run."""
    clock = Stopwatch()
    store.swept()
    others: tuple[Named, ...] = ()
    before: Run | None = None
    if options.path is not None and not options.fresh:
        before = earlier.found(options.path, store, protocol)
        if before is not None:
            others, store = earlier.carried(before, named), replace(store, genuine=earlier.proof(before))
    planned = replace(planned, pins={**pins_of(*(metric for _, metric in others)), **planned.pins})
    device = devices_of((*planned.metrics, *others), token, kernels=planned.device != "cpu")
    job = Job(
        *(planned, protocol, store, watcher, device, options.cores, options.chunk, others, pairing.places),
        *(options.seen, pairing.mirrors),
    )
    try:
        contributions = _contributions(job, pairing, options, before)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_kept(store, pairing)) from None
    unserved: dict[str, str] = {}
    if pairing.packed is not None and options.part is None:
        contributions, unserved = settled(contributions, planned.keys)
    others, lacking = earlier.complete(others, contributions)
    if lacking:
        watcher.warns(f"no longer in {options.out}, as not all clips have states of them: {', '.join(lacking)}")
    metrics = (*named, *others)
    if store.folder is not None:
        contributions = [item.sealed({key for key, _ in metrics}) for item in contributions]
    setting = Setting(
        protocol=protocol,
        resampling=options.resampling,
        expected=len(contributions) if pairing.packed is not None else pairing.expected,
        run=run_tokens(protocol),
        pins=planned.pins,
        flags=options.marks,
        devices=device,
    )
    recorded = {
        "metrics": [item.key for item in metrics],
        "limit": options.limit,
        "bootstrap": {"draws": options.resampling.draws, "seed": options.resampling.seed},
    }
    watcher.phase("intervals")
    with stage(SCORES):
        run = scored_run(metrics, {**planned.unscored, **unserved}, contributions, setting, environment(), recorded)
    if before is not None:
        run = earlier.with_its_controls(run, before)
    record = clock.record(workers=options.cores, device=options.device, measured=job.counts)
    terms = {name: weights.entry(name).weight_licence for name in files(*(metric for _, metric in metrics))}
    near = {side: place for side, place in pairing.places.items() if side not in pairing.far}
    return replace(run, record={**record, "weights": terms}, places=near, addresses=pairing.far)


def _contributions(job: Job, pairing: Pairing, options: Options, before: Run | None) -> list[Contribution]:
    """What all clips add, measured here or by a cluster."""
    if pairing.packed is not None:
        if options.engine != "local":
            raise ProtocolError("a cluster measures clips that lie apart; unpack the tars, or share them by --shard")
        return job.streamed(pairing.packed.samples(job.places["generated"].parent))
    if options.engine == "local":
        return job.contributions(pairing)
    from thgeval.engine.cluster.on_ray import measured_by_ray

    return measured_by_ray(job, pairing, options, before)


def _shard_record(shard: Shard, whole: Pairing) -> dict[str, int | None]:
    """What a result says of its shard, by which merging knows that none is missing and none is of other clips.

    How many clips there are in tars nobody knows who doesn't read them all.
    """
    clips = len(whole.ids) if whole.packed is None else None
    return {"number": shard.number, "of": shard.of, "clips": clips}


def _kept(store: Store, pairing: Pairing) -> str:
    """What an interrupted run leaves, and how to go on."""
    if store.folder is None:
        return "interrupted; nothing was kept, as no result file was named (-o OUT.json)"
    names = {file_name(pair.id) for pair in pairing.pairs}
    kept = len(names & ({path.name for path in store.folder.glob("*.npz")} | store.names))
    place = store.folder if store.shared is None else store.shared.place
    return f"interrupted: {kept} of {len(names)} clips are kept in {place}; the same command goes on there"


def _without_pairs(requests: Sequence[str]) -> list[Named]:
    """The metrics asked for, if none compares clip by clip; of groups, those that don't."""

    def compares_clips(named: Named) -> bool:
        return named.metric.needs.a_reference and not named.metric.sets

    asked = named_metrics([request for request in requests if request.lower() not in GROUPS])
    if refused := [named.key for named in asked if compares_clips(named)]:
        raise ProtocolError(
            f"without pairs there is nothing to compare each clip with, as {', '.join(refused)} would; ask for metrics "
            "of sets, such as fid-random, or of single clips"
        )
    return [named for named in named_metrics(list(requests)) if not compares_clips(named)]


def _is_one_file(pair: Pair) -> bool:
    places = pair.generated.source, None if pair.reference is None else pair.reference.source
    if not isinstance(places[0], Path) or not isinstance(places[1], Path):
        return False
    try:
        return places[0].samefile(places[1])
    except (OSError, ValueError):
        return False


def _device(device: str, watcher: Watcher) -> tuple[str, str]:
    """What stands for a device in signatures, and where kernels run: on the CPU where their package is missing."""
    token = devices.token(device)
    if device == "cpu":
        return token, device
    missing = places.lack()
    if missing is None:
        return token, device
    watcher.warns(f"{missing}; until then they are computed on the CPU")
    return token, "cpu"


def devices_of(metrics: Sequence[Named], device: str, *, kernels: bool) -> dict[str, str]:
    """The device of each metric that looks through a torch network, by key; of those whose kernels run there too."""
    return {
        key: device
        for key, metric in metrics
        if networks.TORCH in required(metric) or (kernels and runs_on_card(metric))
    }


def run_tokens(protocol: Protocol) -> dict[str, str]:
    """The run part of signatures, but for what differs between scores: coverage, device, the kind of interval."""
    return {
        "protocol": protocol.label,
        "dec": decoder(),
        "thgeval": __version__,
    }


def protocol_of(protocol: str | Protocol, *, unpaired: bool = False) -> Protocol:
    """The protocol itself, or the one called so; ``unpaired`` takes its pairs apart."""
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
