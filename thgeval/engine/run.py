"""What Python calls: ``score`` and ``evaluate``.

``score`` is for one pair of clips, ``evaluate`` for folders of them; both return a ``Run``. Clips are measured on as
many threads as there are workers; a clip that can't be scored is recorded and the run goes on.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from thgeval.clip import Clip, Pair
from thgeval.engine.execution import execute, protocol_of
from thgeval.engine.job import Watcher
from thgeval.engine.options import Options
from thgeval.errors import InputError, ProtocolError
from thgeval.media.objects import KINDS, HowRead, clips_of
from thgeval.metrics import DEFAULT
from thgeval.pairing import Pairing
from thgeval.pairing.benchmark import of_protocol
from thgeval.pairing.elsewhere import at_hand
from thgeval.pairing.handed import handed_apart, handed_pairs
from thgeval.pairing.naming import Naming
from thgeval.pairing.packed import is_packed, of_tars
from thgeval.protocol import Protocol
from thgeval.remote.addresses import Address, location
from thgeval.remote.delivery import delivered
from thgeval.results import STATES, Run

__all__ = ["Options", "Watcher", "evaluate", "execute", "score"]

GENERATED, REFERENCE = "generated", "reference"


def score(
    generated: Any,
    reference: Any = None,
    *,
    metrics: str | Sequence[str] = DEFAULT,
    protocol: str | Protocol = "native",
    unpaired: bool = False,
    peak: float | None = None,
    range: str | None = None,
    layout: str | None = None,
    clip: bool = False,
    fps: float | None = None,
    options: Options | None = None,
) -> Run:
    """Score one generated clip: a path, an array or a torch tensor, against another; or a batch of them.

    ``unpaired`` compares the two as sets of frames, of any numbers and sizes; see ``evaluate``.

    Arrays are (frames, height, width, 3) or grey (frames, height, width), tensors (frames, 3, height, width) as torch
    has them, or a list of frames: arrays, tensors or images of Pillow's. With an axis of clips before the frames, or as
    a list of such arrays, they are a batch, whose clips are called "0", "1", ... ``layout`` names the axes where these
    can't be told, such as ``"BCHW"`` for images. uint8 has its white at 255; floats need ``peak``, the value of white,
    or ``range``, such as ``"-1..1"``. Values beyond it are refused, or with ``clip`` brought into it, which is noted.
    ``fps`` is the frame rate of arrays. The result is written where ``Options.out`` says.

    Raises ProtocolError for unknown metrics or parameters, InputError for a clip that can't be scored.
    """
    how = HowRead(peak, fps, range, layout, clip)
    for name, side in ((GENERATED, generated), (REFERENCE, reference)):
        if isinstance(side, Mapping):
            raise InputError(
                f"the {name} clip is a {type(side).__name__}, not {KINDS}; evaluate takes clips by id",
                reason="wrong type",
            )
    ours = clips_of(GENERATED, generated, how)
    theirs = None if reference is None else clips_of(REFERENCE, reference, how)
    chosen = protocol_of(protocol, unpaired=unpaired)
    if chosen.benchmark.selects:
        raise ProtocolError(f"{chosen.label} is about folders of clips, not a single one; give these to evaluate")
    pairing = _together(ours, theirs, chosen, "clip" if not isinstance(generated, str | Path) else Path(generated).stem)
    said: list[str] = []
    watcher = Watcher(warns=said.append)
    run = _written(execute(pairing, metrics, chosen, _options(options), watcher), options)
    if failure := next((clip.failure for clip in run.clips if clip.failure is not None), None):
        raise InputError("; ".join([failure.message, *said]), reason=failure.reason)
    return run


def _together(ours: Mapping[str, Clip], theirs: Mapping[str, Clip] | None, protocol: Protocol, id: str) -> Pairing:
    """The clips of both sides of one call, in their order; a single pair is called ``id``."""
    if theirs is not None and not protocol.unpaired and len(ours) != len(theirs):
        raise InputError(
            f"generated are {len(ours)} clip{'s' * (len(ours) > 1)}, reference {len(theirs)}; give as many of either, "
            "or unpaired=True for metrics of sets",
            reason="count differs",
        )
    if protocol.unpaired:
        if theirs is None:
            raise ProtocolError("without pairs, two sets are compared: give the reference too")
        if len(ours) == len(theirs) == 1:
            sides = {GENERATED: next(iter(ours.values())), REFERENCE: next(iter(theirs.values()))}
            return Pairing(tuple(Pair(side, clip, side=side) for side, clip in sides.items()), ())
        return handed_apart(ours, theirs)
    ids = [id] if list(ours) == [GENERATED] else list(ours)
    first, second = (None if side is None else dict(zip(ids, side.values(), strict=True)) for side in (ours, theirs))
    return handed_pairs(first or {}, second)


def evaluate(
    generated: Any,
    reference: Any = None,
    *,
    metrics: str | Sequence[str] = DEFAULT,
    protocol: str | Protocol = "native",
    unpaired: bool = False,
    naming: Naming | None = None,
    clip_list: str | Path | None = None,
    peak: float | None = None,
    range: str | None = None,
    layout: str | None = None,
    clip: bool = False,
    fps: float | None = None,
    options: Options | None = None,
    watcher: Watcher | None = None,
) -> Run:
    """Score every clip of a folder against its namesake in another; clips that fail are in ``Run.failures``.

    In place of folders there may be batches on both sides: mappings of ids to clips, or arrays with an axis of clips,
    which are read by ``peak``, ``range``, ``layout``, ``clip`` and ``fps`` as ``score`` reads them.

    ``naming`` says how names are read that differ by a suffix or case, or lie in subfolders. What would help where they
    don't fit is told to the ``watcher``, or as a warning where there is none.

    ``clip_list`` is the list that some protocols need and that can't be passed on: ``thgeval ls protocols``.

    ``unpaired`` compares the folders as sets, of any numbers, names, lengths and sizes of clips. Metrics that compare
    clip by clip are then refused, and metrics of single clips have the reference folder's own value beside theirs.

    Folders may lie elsewhere (``s3://bucket/clips``), as may ``Options.out``: whatever fsspec knows. Pairs may also lie
    in tars, of which ``generated`` is then the name or a pattern.

    Raises ProtocolError for unknown metrics or parameters, and folders that hold no clip.
    """
    how = HowRead(peak, fps, range, layout, clip)
    for name, place in ((GENERATED, generated), (REFERENCE, reference)):
        lacks = name == REFERENCE and place is None
        if not isinstance(place, str | Path | Address) and not _is_batch(place) and not lacks:
            raise ProtocolError(
                f"{name} must be the path of a folder or a file, or clips by id, not {type(place).__name__}"
            )
    if not isinstance(naming, Naming | None):
        raise ProtocolError(f"naming must be a thgeval.Naming(...), not {type(naming).__name__}")
    chosen = protocol_of(protocol, unpaired=unpaired)
    told = watcher or Watcher()
    with ExitStack() as stack:
        settled = stack.enter_context(_delivered(_options(options)))
        read = naming or Naming()
        if _is_batch(generated) or _is_batch(reference):
            if naming is not None or clip_list is not None or chosen.benchmark.selects:
                raise ProtocolError(
                    "clips that are handed over have their ids; names, lists and benchmarks are of folders"
                )
            pairing = _batches(generated, reference, how, chosen)
        else:
            ours, far = location(generated), None if reference is None else location(reference)
            if is_packed(ours):
                pairing = of_tars(ours, far, chosen, read)
            else:
                deep = read.recursive or chosen.benchmark.selects
                sides = stack.enter_context(at_hand(ours, far, recursive=deep))
                listed = None if clip_list is None else Path(clip_list)
                chosen, pairing = of_protocol(sides.generated, sides.reference, chosen, read, listed)
                pairing = pairing.mirroring(sides.mirrors)
        if pairing.advice and watcher is None:
            warnings.warn(pairing.advice, stacklevel=2)
        return _written(execute(pairing, metrics, chosen, settled, told), settled)


@contextmanager
def _delivered(options: Options) -> Iterator[Options]:
    """The options with a result file on this machine, which is sent to where it belongs when the body ends."""
    if not isinstance(options.target, Address):
        yield options
        return
    with delivered([options.target], STATES) as delivery:
        yield replace(options, out=delivery.paths[0], shared=delivery.shared)


def _is_batch(given: Any) -> bool:
    return isinstance(given, Mapping | list | tuple) or hasattr(given, "shape")


def _batches(generated: Any, reference: Any, how: HowRead, protocol: Protocol) -> Pairing:
    """Clips that are handed over on both sides, by their ids."""
    sides = {name: side for name, side in ((GENERATED, generated), (REFERENCE, reference)) if side is not None}
    if any(isinstance(side, str | Path) for side in sides.values()):
        raise ProtocolError("one side is a path and the other holds clips; give both in one way")
    clips = {name: clips_of(name, side, how) for name, side in sides.items()}
    if lone := [name for name, found in clips.items() if list(found) == [name]]:
        raise ProtocolError(f"{lone[0]} is one clip; thgeval.score is for those, evaluate for folders and batches")
    if protocol.unpaired:
        if REFERENCE not in clips:
            raise ProtocolError("without pairs, two sets are compared: give the reference too")
        return handed_apart(clips[GENERATED], clips[REFERENCE])
    return handed_pairs(clips[GENERATED], clips.get(REFERENCE))


def _written(run: Run, options: Options | None) -> Run:
    if options is not None and options.path is not None:
        run.write(options.path)
    return run


def _options(options: Options | None) -> Options:
    if options is not None and not isinstance(options, Options):
        raise ProtocolError(f"options must be thgeval.Options(...), not {type(options).__name__}")
    return options or Options()
