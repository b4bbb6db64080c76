"""One pair of clips, from files to states: decode once, share features, measure every metric.

Chunks are independent (temporal features see the frames before them through a repeated lead), so that spare cores take
them in any order; their states are summed when the clip has been seen.

What is wrong with the reference, or with the two together, fails the metrics that compare; those that look at the
generated clip alone are still scored. What is wrong for one metric fails that metric alone.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from typing import Any, NamedTuple, TypeAlias, cast

import numpy as np

from thgeval.clip import Clip, Pair
from thgeval.engine.company import company_counts
from thgeval.engine.fit import batches, check_rates, check_spread, check_times
from thgeval.engine.plan import Plan, measures_reference, side, unmet_need
from thgeval.engine.remarks import of_sound, remarks
from thgeval.engine.workers import Cores
from thgeval.errors import Failure, InputError, OutputError, ThgevalError
from thgeval.feature import Feature, joined
from thgeval.features.frames.frames import info, rgb
from thgeval.features.frames.offered import offered
from thgeval.files import trouble, without_room
from thgeval.kernels.places import out_of_memory, put
from thgeval.media import Decoder, decode, probe
from thgeval.media.frames import FrameBatch, MediaInfo, Pixels
from thgeval.protocol import Protocol
from thgeval.registry import Named
from thgeval.seen import Seen, SeenChunk
from thgeval.stages import METRICS, stage
from thgeval.states import State
from thgeval.states.stacked import LARGEST
from thgeval.view import Given, Side, View

CHUNK_BYTES = 6 << 20
UNFORESEEN = "failed inside thgeval"
Progress = Callable[[int], None]
BothFrames: TypeAlias = tuple[FrameBatch | None, FrameBatch | None]


@dataclass
class Measured:
    """Everything one pair contributed."""

    states: dict[str, State] = field(default_factory=dict)
    reference_states: dict[str, State] = field(default_factory=dict)
    failed: dict[str, Failure] = field(default_factory=dict)
    failure: Failure | None = None
    notes: list[str] = field(default_factory=list)
    generated: MediaInfo | None = None
    reference: MediaInfo | None = None
    frames: int = 0

    def saying(self, told: Callable[[str], str]) -> "Measured":
        """Say it all in other words, such as with the places that files come from; returns itself."""
        self.notes = [told(note) for note in self.notes]
        self.failed = {key: replace(item, message=told(item.message)) for key, item in self.failed.items()}
        self.failure = self.failure and replace(self.failure, message=told(self.failure.message))
        return self


def unforeseen(clip: str, error: Exception) -> Failure:
    """A failure that is not the clip's fault as far as anyone knows: counted and named like the others.

    OutputError if the error is a full disk, which is no clip's fault and would fail all that follow.
    """
    if isinstance(error, OSError) and without_room(error):
        raise OutputError(f"{trouble(error)}; what was measured so far is kept") from error
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return Failure(UNFORESEEN, f"{clip}: failed inside thgeval ({said}); please report this")


class Chunk(NamedTuple):
    """What one chunk, or one whole clip, contributed."""

    states: dict[str, State]
    reference_states: dict[str, State]
    failed: dict[str, Failure]
    generated: dict[Feature[Any], Any]
    reference: dict[Feature[Any], Any]


def measured(
    pair: Pair,
    plan: Plan,
    protocol: Protocol,
    cores: Cores,
    progress: Progress,
    chunk: int = 0,
    seen: Seen | None = None,
) -> Measured:
    """All states of one pair. A clip that can't be used becomes a ``failure`` of the result, never an exception.

    ``chunk`` is how many frames are decoded at a time; 0 chooses by their size. It can't change a score.
    ``seen`` is what earlier runs found in the same frames.
    """
    lacks = unmet(pair, plan)
    able = plan.without(lacks)
    try:
        outcome = _streamed(pair, able, protocol, cores, progress, chunk, seen)
    except InputError as error:
        outcome = _of_generated_alone(pair, able, protocol, cores, progress, chunk, seen)
        scored = outcome.states.keys() | outcome.failed.keys()
        lost = [named.key for named in able.metrics if named.key not in scored]
        if able.metrics and not lost and not able.rests_on_reference:
            outcome.notes.append(f"the reference's own value was not measured: {error}")
        else:
            outcome.failure = Failure.of(error)
            outcome.failed |= dict.fromkeys(lost, outcome.failure)
    outcome.failed |= lacks
    return outcome


def unmet(pair: Pair, plan: Plan) -> dict[str, Failure]:
    """The metrics, by key, that a pair doesn't offer what they need."""
    lacks = {named.key: unmet_need(named.metric, pair) for named in plan.metrics}
    return {key: Failure("unmet need", str(lack)) for key, lack in lacks.items() if lack is not None}


def _of_generated_alone(
    pair: Pair, plan: Plan, protocol: Protocol, cores: Cores, progress: Progress, chunk: int, seen: Seen | None
) -> Measured:
    alone = plan.without_reference()
    if pair.reference is None or not alone.metrics:
        return Measured()
    try:
        return _streamed(replace(pair, reference=None), alone, protocol, cores, progress, chunk, seen)
    except InputError:
        return Measured()


def _streamed(
    pair: Pair, plan: Plan, protocol: Protocol, cores: Cores, progress: Progress, chunk: int, seen: Seen | None
) -> Measured:
    outcome = Measured()
    pending: list[Future[tuple[Chunk, list[Chunk]]]] = []
    looked_up = None if seen is None else partial(SeenChunk, seen, plan.pins)
    with ExitStack() as stack:
        first_clip = pair.generated if plan.decodes(reference=False) else None
        second_clip = pair.reference if plan.decodes(reference=True) else None
        frames = chunk or max(_chunk_of(protocol, first_clip, second_clip), plan.lead + 1)
        generated, reference = (_opened(clip, plan, protocol, frames, stack) for clip in (first_clip, second_clip))
        check_rates(pair, generated, reference, protocol)
        check_spread(pair, generated, reference)
        for first, second in batches(pair, generated, reference, protocol, cores, outcome.notes):
            batch = first or second
            if batch is None or not len(batch):
                continue
            piece = View.of(pair.id, batch.start, _given(first), _given(second), looked_up)
            pending.append(cores.spare(_chunk, piece, (first, second), plan, pair))
            outcome.frames += len(batch)
            progress(len(batch))
        found = [future.result() for future in pending]
        check_times(pair, generated, reference, protocol)
        outcome.notes += remarks(pair, generated, reference, protocol)
        for decoder, other in ((generated, False), (reference, True)):
            if plan.hears(reference=other):
                outcome.notes += of_sound(pair, decoder, reference=other)
        outcome.generated = _info(pair.generated, generated)
        outcome.reference = _info(pair.reference, reference) if pair.reference is not None else None
    chunks, on_card = [chunk for chunk, _ in found], [piece for _, pieces in found for piece in pieces]
    if any(len(pieces) > 1 for _, pieces in found):
        outcome.notes.append("the graphics card ran out of memory, so that fewer frames were measured at a time")
    whole = _whole(pair, plan, chunks, outcome)
    _gather(outcome, [*chunks, *on_card, _pieced(whole, plan.clipwise, pair)], pair.id)
    _accompany(outcome, whole, plan, pair)
    return outcome


def _opened(clip: Clip | None, plan: Plan, protocol: Protocol, frames: int, stack: ExitStack) -> Decoder | None:
    if clip is None:
        return None
    return stack.enter_context(
        decode(clip, chunk=frames, lead=plan.lead, fps=protocol.fps, size=protocol.size, crop=protocol.crop)
    )


def _chunk_of(protocol: Protocol, *clips: Clip | None) -> int:
    """How many frames of either side are decoded at a time: equally many, by the larger frames of the two."""
    seen = [probe(clip) for clip in clips if clip is not None]
    pixels = [protocol.size**2 if protocol.size else info.width * info.height for info in seen]
    return int(np.clip(CHUNK_BYTES // (3 * max(pixels, default=1)), 1, 64))


def _info(clip: Clip, decoder: Decoder | None) -> MediaInfo:
    return decoder.info if decoder is not None else probe(clip)


def _given(batch: FrameBatch | None) -> Given:
    return {} if batch is None else {rgb: batch}


def _chunk(piece: View, frames: BothFrames, plan: Plan, pair: Pair) -> tuple[Chunk, list[Chunk]]:
    """Measure a chunk, and keep what metrics of whole clips will read; apart, what was measured on a graphics card."""
    on_card = plan.on_card
    result = _pieced(piece, tuple(named for named in plan.chunkwise if named not in on_card), pair)
    result.generated.update(_read(piece.generated, plan.collected(reference=False)))
    if pair.reference is not None:
        result.reference.update(_read(piece.reference, plan.collected(reference=True)))
    return result, _on_card(frames, on_card, plan, pair) if on_card else []


def _read(side: Side, features: Iterable[Feature[Any]]) -> dict[Feature[Any], Any]:
    """What features say of a chunk; an error costs the metrics that read it, and no others."""
    found: dict[Feature[Any], Any] = {}
    for feature in features:
        try:
            found[feature] = side[feature]
        except InputError as error:
            found[feature] = error
    return found


def _on_card(frames: BothFrames, metrics: tuple[Named, ...], plan: Plan, pair: Pair) -> list[Chunk]:
    """Measure a chunk where kernels run on a graphics card, in halves of halves where it has no room for more."""
    most = max(len(batch) for batch in frames if batch is not None)
    try:
        generated, reference = (_given(batch and _brought(batch, plan.device)) for batch in frames)
        return [_pieced(View.of(pair.id, _start(frames), generated, reference), metrics, pair, on_card=True)]
    except Exception as error:
        if not out_of_memory(error):
            raise
    if most < 2:
        said = f"{pair.id}: the graphics card has no room for one of its frames; choose --device cpu"
        return [Chunk({}, {}, {key: Failure("out of memory", said) for key, _ in metrics}, {}, {})]
    halves = zip(*((None, None) if batch is None else batch.halves(plan.lead) for batch in frames), strict=True)
    return [piece for half in halves for piece in _on_card(half, metrics, plan, pair)]


def _brought(batch: FrameBatch, device: str) -> FrameBatch:
    """The same frames on a graphics card."""
    return replace(batch, pixels=cast("Pixels", put(batch.pixels, device)))


def _start(frames: BothFrames) -> int:
    """The clip's index of the first new frame."""
    return next(batch.start for batch in frames if batch is not None)


def _whole(pair: Pair, plan: Plan, chunks: list[Chunk], outcome: Measured) -> View:
    """What metrics that look at whole clips see."""
    generated: dict[Feature[Any], Any] = {info: outcome.generated, **offered(pair, reference=False)}
    reference: dict[Feature[Any], Any] = {info: outcome.reference, **offered(pair, reference=True)}
    for given, parts in ((generated, [c.generated for c in chunks]), (reference, [c.reference for c in chunks])):
        for feature in dict.fromkeys(chain.from_iterable(parts)):
            values = [part[feature] for part in parts]
            errors = [value for value in values if isinstance(value, InputError)]
            given[feature] = errors[0] if errors else joined(values)
    return View.of(pair.id, 0, generated, reference)


def _pieced(piece: View, metrics: tuple[Named, ...], pair: Pair, *, on_card: bool = False) -> Chunk:
    result = Chunk({}, {}, {}, {}, {})
    for key, metric in metrics:
        try:
            measure = metric.measure_alone if pair.side else metric.measure
            with stage(METRICS):
                result.states[key] = _finite(measure(piece.seen_by(metric.needs, metric.name)), key, piece.clip)
        except InputError as error:
            result.failed[key] = Failure.of(error)
        except ThgevalError:
            raise
        except Exception as error:  # what nobody foresaw costs this metric this clip, and no more
            if on_card and out_of_memory(error):
                raise
            result.failed[key] = unforeseen(piece.clip, error)
        if pair.reference is not None and measures_reference(metric):
            try:
                with stage(METRICS):
                    own = metric.measure(piece.swapped().seen_by(metric.needs, metric.name))
                    result.reference_states[key] = _finite(own, key, piece.clip)
            except InputError:
                pass  # the reference's own value then rests on fewer clips, which is counted
            except ThgevalError:
                raise
            except Exception as error:
                if on_card and out_of_memory(error):
                    raise
                result.failed[key] = unforeseen(piece.clip, error)
    return result


def _finite(state: State, key: str, clip: str) -> State:
    """The state, if its numbers can be computed with; InputError if what was read was too large for that."""
    for parts in state.parts.values():
        for part in parts:
            if (np.abs(part.values) > min(LARGEST, float(np.finfo(part.values.dtype).max))).any():
                raise InputError(
                    f"{clip}: {key} came out beyond {LARGEST:g}; what it reads beside the clip holds numbers too large "
                    "to compute with",
                    reason="out of range",
                )
    return state


def _accompany(outcome: Measured, whole: View, plan: Plan, pair: Pair) -> None:
    """Count, beside every state of a metric that chooses a face, the others that it could have chosen."""
    for key, metric in plan.metrics:
        if key in outcome.states:
            sides = {pair.side or "generated": company_counts(side(metric, reference=False), whole.generated)}
            if not pair.side:
                sides["reference"] = company_counts(side(metric, reference=True, own=False), whole.reference)
            counts = {f"{name} {what}": count for name, found in sides.items() for what, count in found.items()}
            if counts:
                outcome.states[key] = outcome.states[key].counting(whole.clip, counts)


def _gather(outcome: Measured, chunks: list[Chunk], clip: str) -> None:
    """Sum the states of all pieces; a metric that failed on one piece failed on the clip, as do states with no sum."""
    for chunk in chunks:
        outcome.failed |= chunk.failed
    for total, parts in (
        (outcome.states, [chunk.states for chunk in chunks]),
        (outcome.reference_states, [chunk.reference_states for chunk in chunks]),
    ):
        for key in dict.fromkeys(chain.from_iterable(parts)):
            if key not in outcome.failed:
                found = [part[key] for part in parts if key in part]
                try:
                    total[key] = type(found[0]).total(found)
                except Exception as error:
                    outcome.failed[key] = unforeseen(clip, error)
