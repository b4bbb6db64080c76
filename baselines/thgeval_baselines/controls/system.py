"""A control behind the runner: it gets the reference, what a synthetic set knows of it, and another item's sound."""

import hashlib
import json
import sys
from pathlib import Path

import thgeval.controls
from thgeval.errors import InputError
from thgeval.version import __version__
from thgeval_baselines import controls
from thgeval_baselines.controls.table import TABLE, Row
from thgeval_baselines.running.process import tail
from thgeval_baselines.running.staging import Stage
from thgeval_baselines.running.worker import REFUSED, REPORT
from thgeval_baselines.systems import System, Work

NOTICE = "control: made from the reference, not a generator"


class ControlSystem(System):
    """One row of the table."""

    kind = "control"

    def __init__(self, row: Row) -> None:
        self.row, self.id, self.says, self.notice = row, row.id, row.says, NOTICE
        self.needs = frozenset({"reference"})
        self.sees_reference = True

    def code(self) -> str:
        """Of the files that all controls share, this package's and the toolkit's."""
        folders = (Path(str(package.__file__)).parent for package in (controls, thgeval.controls))
        text = b"".join(path.read_bytes() for folder in folders for path in sorted(folder.glob("*.py")))
        return hashlib.sha256(text + __version__.encode()).hexdigest()[:16]

    def work(self, stage: Stage, *, seed: int, fitted: Path | None) -> Work:
        """The worker, with everything that it may need."""
        other, portrait = stage.extras.get("other_audio"), stage.inputs.source_image
        if self.row.needs_other and other is None:
            raise InputError("its set has no other speech to put under it", reason="unable")
        job = {
            "control": self.id,
            "reference": str(stage.reference),
            "other_sound": None if other is None else str(other),
            "portrait": None if portrait is None else str(portrait),
            "known": stage.known,
            "seed": seed,
            "out": str(stage.out),
        }
        path = stage.work / "job.json"
        path.write_text(json.dumps(job), encoding="utf-8")
        return Work(((sys.executable, "-m", "thgeval_baselines.controls.worker", str(path)),), cwd=stage.work)

    def collect(self, stage: Stage, *, since: float) -> Path:
        """What the worker wrote, or copied."""
        found = next(stage.out.glob("raw.*"), None)
        if found is None:
            raise InputError("it ended without a video", reason="no output")
        return found

    def refusal(self, stage: Stage, code: int | None, log: Path) -> InputError:
        """What the worker says of it."""
        if code == REFUSED and (stage.out / REPORT).is_file():
            report = json.loads((stage.out / REPORT).read_text(encoding="utf-8"))
            return InputError(report["message"], reason=report["refused"])
        last = tail(log).strip().splitlines()
        return InputError(f"it ended with exit code {code}" + (f": {last[-1]}" if last else ""), reason="crashed")


def control_systems() -> list[ControlSystem]:
    """Every control."""
    return [ControlSystem(row) for row in TABLE.values()]
