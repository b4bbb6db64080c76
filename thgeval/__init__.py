"""Comparable scores for talking-head generation.

    import thgeval
    run = thgeval.evaluate("generated/", "reference/", metrics=["psnr", "ssim"])
    run["ssim"].value, run["ssim"].interval, run["ssim"].signature

Importing thgeval is cheap; what a call needs is imported with it.
"""

from typing import TYPE_CHECKING, Any

from thgeval.version import __version__

if TYPE_CHECKING:
    from thgeval.clip import Clip, Excerpt, Pair
    from thgeval.engine.options import Options
    from thgeval.engine.run import evaluate, score
    from thgeval.errors import (
        InputError,
        MissingExtra,
        OutputError,
        ProtocolError,
        ThgevalError,
        UnmetNeed,
        WeightsError,
    )
    from thgeval.meter import Meter
    from thgeval.pairing.naming import Naming
    from thgeval.protocol import Protocol
    from thgeval.results import ClipResult, Run, Score
    from thgeval.seen import Seen

_HOMES = {
    "Clip": "clip",
    "ClipResult": "results",
    "Excerpt": "clip",
    "InputError": "errors",
    "MissingExtra": "errors",
    "Meter": "meter",
    "Naming": "pairing.naming",
    "Options": "engine.options",
    "OutputError": "errors",
    "Pair": "clip",
    "Protocol": "protocol",
    "ProtocolError": "errors",
    "Run": "results",
    "Score": "results",
    "Seen": "seen",
    "ThgevalError": "errors",
    "UnmetNeed": "errors",
    "WeightsError": "errors",
    "evaluate": "engine.run",
    "score": "engine.run",
}

__all__ = [
    "Clip",
    "ClipResult",
    "Excerpt",
    "InputError",
    "Meter",
    "MissingExtra",
    "Naming",
    "Options",
    "OutputError",
    "Pair",
    "Protocol",
    "ProtocolError",
    "Run",
    "Score",
    "Seen",
    "ThgevalError",
    "UnmetNeed",
    "WeightsError",
    "__version__",
    "evaluate",
    "score",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'thgeval' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"thgeval.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
