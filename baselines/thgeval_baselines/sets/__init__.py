"""Sets of synthetic clips with their truth; each is made by a function of a folder and keywords, and is a line here."""

from collections.abc import Mapping
from types import MappingProxyType

SETS: Mapping[str, str] = MappingProxyType(
    {
        "synth-v1": "thgeval_baselines.sets.synth:make_synth",
        "synth3d-v1": "thgeval_baselines.sets.synth3d:make_synth3d",
        "synth-v1-short": "thgeval_baselines.sets.short:make_synth_short",
        "synth3d-v1-short": "thgeval_baselines.sets.short:make_synth3d_short",
        "demo": "thgeval_baselines.demo:make_demo",
    }
)
"""``module:function`` by the name that ``thgeval synth`` knows; the function's keywords are the options it takes."""
