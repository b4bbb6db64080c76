"""Every metric and preset with its protocol part, and every alias: what must never change unnoticed.

``python tests/golden/signatures.py`` writes the two files anew, to be reviewed like code: a line that changed is a
number that can't be compared with those of before, and its metric's version must have gone up.
"""

from pathlib import Path

from thgeval import registry
from thgeval.metrics import ALIASES
from thgeval.protocol import Protocol
from thgeval.signature import pins_of, protocol_part

FOLDER = Path(__file__).parent
PARTS = FOLDER / "protocol_parts.txt"
NAMES = FOLDER / "aliases.txt"


def requests() -> list[str]:
    """The built-in metrics at their defaults and under each preset."""
    names = [name for name, where in registry.table().items() if where.startswith("thgeval.")]
    return [request for name in names for request in (name, *presets(name))]


def presets(name: str) -> list[str]:
    return [f"{name}/{preset}" for preset in registry.metric_class(name).presets]


def parts() -> str:
    """One line per request: the request, the key it is stored under, its protocol part."""
    lines = []
    for request in requests():
        key, metric = registry.metric(request)
        lines.append(f"{request}\t{key}\t{protocol_part(metric, Protocol(), pins_of(metric))}\n")
    return "".join(lines)


def aliases() -> str:
    """One line per alias: the alias, and the key that it stands for."""
    return "".join(f"{alias}\t{registry.metric(alias).key}\n" for alias in sorted(ALIASES))


if __name__ == "__main__":
    PARTS.write_text(parts(), encoding="utf-8")
    NAMES.write_text(aliases(), encoding="utf-8")
