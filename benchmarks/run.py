"""Every benchmark of this folder in one run, as a table and as data: ``make bench``.

Each module measures us and our peers interleaved and reports medians; times are noisy, ratios within one run less so.
Results go to ``benchmarks/results/``, one JSON file a module, with the machine's facts.
"""

import json
import os
import platform
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

from tabulate import tabulate

HERE = Path(__file__).parent
MODULES = sorted(path.stem for path in HERE.glob("*.py") if path.stem != "run")


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all."""
    sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]
    for name in names or MODULES:
        rows = import_module(name).measurements()
        print(
            f"\n{name}\n{tabulate([_printed(row) for row in rows], 'keys', tablefmt='simple', disable_numparse=True)}"
        )
        (HERE / "results").mkdir(exist_ok=True)
        target = HERE / "results" / f"{name}.json"
        target.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1) + "\n")
    return 0


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    cpu = next((line for line in _cpu_facts() if line.startswith("model name")), "").partition(":")[2].strip()
    cores = len(os.sched_getaffinity(0))
    return {"processor": cpu, "cores": cores, "system": platform.system(), "python": platform.python_version()}


def _cpu_facts() -> list[str]:
    facts = Path("/proc/cpuinfo")
    return facts.read_text().splitlines() if facts.exists() else []


def _printed(row: dict[str, Any]) -> dict[str, str]:
    return {key: f"{value:.4g}" if isinstance(value, float) else str(value) for key, value in row.items()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
