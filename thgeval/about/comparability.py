"""What reported numbers a score may be laid beside: one table for all metrics and presets, ``comparability.toml``."""

import tomllib
from functools import cache
from importlib.resources import files

OWN = "own"
OWN_SAYS = "nothing published: other scores of thgeval with an equal protocol part"


def comparable(metric: str, preset: str = "") -> str | None:
    """What numbers of others those of a metric, or of its preset, may be compared with; None if nobody said."""
    table = _table()
    if preset:
        said = table["presets"].get(f"{metric}/{preset}", table["presets"].get(f"*/{preset}"))
    else:
        said = table["metrics"].get(metric)
    return OWN_SAYS if said == OWN else said


@cache
def _table() -> dict[str, dict[str, str]]:
    return tomllib.loads(files("thgeval.about").joinpath("comparability.toml").read_text(encoding="utf-8"))
