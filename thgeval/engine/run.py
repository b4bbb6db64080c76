"""What Python calls: ``score`` and ``evaluate``.

``score`` is for one pair of clips, ``evaluate`` for folders of them; both return a ``Run``. Clips are measured on as
many threads as there are workers; a clip that can't be scored is recorded and the run goes on.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from thgeval.clip import Pair
from thgeval.engine.execution import execute, protocol_of
from thgeval.engine.job import Watcher
from thgeval.engine.options import Options
from thgeval.errors import InputError, ProtocolError
from thgeval.media.objects import clip_of
from thgeval.metrics import DEFAULT
from thgeval.pairing import Pairing
from thgeval.pairing.benchmark import of_protocol
from thgeval.pairing.elsewhere import at_hand
from thgeval.pairing.naming import Naming
from thgeval.pairing.packed import is_packed, of_tars
from thgeval.protocol import Protocol
from thgeval.remote.addresses import Address, Location, location
from thgeval.remote.delivery import delivered
from thgeval.results import STATES, Run

__all__ = ["Options", "Watcher", "evaluate", "execute", "score"]


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
    chosen = protocol_of(protocol, unpaired=unpaired)
    if chosen.benchmark.selects:
        raise ProtocolError(f"{chosen.label} is about folders of clips, not a single one; give these to evaluate")
    pair = Pair(first.id if isinstance(generated, str | Path) else "clip", first, second)
    pairs = [pair]
    if chosen.unpaired:
        if second is None:
            raise ProtocolError("without pairs, two sets are compared: give the reference too")
        sides = (("generated", first), ("reference", second))
        pairs = [replace(pair, id=side, generated=clip, reference=None, side=side) for side, clip in sides]
    said: list[str] = []
    watcher = Watcher(warns=said.append)
    run = _written(execute(Pairing(tuple(pairs), ()), metrics, chosen, _options(options), watcher), options)
    if failure := next((clip.failure for clip in run.clips if clip.failure is not None), None):
        raise InputError("; ".join([failure.message, *said]), reason=failure.reason)
    return run


def evaluate(
    generated: str | Location,
    reference: str | Location | None = None,
    *,
    metrics: str | Sequence[str] = DEFAULT,
    protocol: str | Protocol = "native",
    unpaired: bool = False,
    naming: Naming | None = None,
    clip_list: str | Path | None = None,
    options: Options | None = None,
    watcher: Watcher | None = None,
) -> Run:
    """Score every clip of a folder against its namesake in another; clips that fail are in ``Run.failures``.

    ``naming`` says how names are read that differ by a suffix or case, or lie in subfolders. What would help where they
    don't fit is told to the ``watcher``, or as a warning where there is none.

    ``clip_list`` is the list that some protocols need and that can't be passed on: ``thgeval ls protocols``.

    ``unpaired`` compares the folders as sets, of any numbers, names, lengths and sizes of clips. Metrics that compare
    clip by clip are then refused, and metrics of single clips have the reference folder's own value beside theirs.

    Folders may lie elsewhere (``s3://bucket/clips``), as may ``Options.out``: whatever fsspec knows. Pairs may also lie
    in tars, of which ``generated`` is then the name or a pattern.

    Raises ProtocolError for unknown metrics or parameters, and folders that hold no clip.
    """
    for name, given in (("generated", generated), ("reference", reference)):
        if not isinstance(given, str | Path | Address) and not (name == "reference" and given is None):
            raise ProtocolError(f"{name} must be the path of a folder or a file, not {type(given).__name__}")
    if not isinstance(naming, Naming | None):
        raise ProtocolError(f"naming must be a thgeval.Naming(...), not {type(naming).__name__}")
    chosen = protocol_of(protocol, unpaired=unpaired)
    listed = None if clip_list is None else Path(clip_list)
    read = naming or Naming()
    far = None if reference is None else location(reference)
    ours = location(generated)
    if is_packed(ours):
        with _delivered(_options(options)) as settled:
            pairing = of_tars(ours, far, chosen, read)
            return _written(execute(pairing, metrics, chosen, settled, watcher or Watcher()), settled)
    with (
        at_hand(ours, far, recursive=read.recursive or chosen.benchmark.selects) as sides,
        _delivered(_options(options)) as settled,
    ):
        chosen, pairing = of_protocol(sides.generated, sides.reference, chosen, read, listed)
        pairing = pairing.mirroring(sides.mirrors)
        if pairing.advice and watcher is None:
            warnings.warn(pairing.advice, stacklevel=3)
        return _written(execute(pairing, metrics, chosen, settled, watcher or Watcher()), settled)


@contextmanager
def _delivered(options: Options) -> Iterator[Options]:
    """The options with a result file on this machine, which is sent to where it belongs when the body ends."""
    if not isinstance(options.target, Address):
        yield options
        return
    with delivered([options.target], STATES) as delivery:
        yield replace(options, out=delivery.paths[0], shared=delivery.shared)


def _written(run: Run, options: Options | None) -> Run:
    if options is not None and options.path is not None:
        run.write(options.path)
    return run


def _options(options: Options | None) -> Options:
    if options is not None and not isinstance(options, Options):
        raise ProtocolError(f"options must be thgeval.Options(...), not {type(options).__name__}")
    return options or Options()
