"""What generators learnt from a person, kept by the content of what they learnt it from.

    FITS/<generator>-<key>/            what ``fit`` left, and ``fitted.json`` beside it: seconds, memory

One fit is made once, however many items ask for it and however many runs; a fit that failed fails all its items.
"""

import json
import shutil
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from thgeval.errors import InputError
from thgeval.files.locking import locked
from thgeval_baselines.running.plan import Job, Options, digest
from thgeval_baselines.running.process import Ended
from thgeval_baselines.running.staging import Stage, hashes, staged
from thgeval_baselines.systems import Work

FITTED = "fitted.json"
LONGEST_WAIT_S = 24 * 3600.0


@dataclass(frozen=True)
class Fit:
    """A fit that is there: its folder, and the seconds it took when it was made."""

    folder: Path
    seconds: float


class Fits:
    """The fits of one run; ``perform`` runs a piece of work in its stage and says how it ended."""

    def __init__(self, options: Options, perform: Callable[[Job, Stage, Work, Path], Ended]) -> None:
        self._options, self._perform = options, perform
        self._locks: dict[str, Lock] = defaultdict(Lock)
        self._failed: dict[str, InputError] = {}
        self._guard = Lock()

    def key(self, job: Job) -> str:
        """A hash of everything that the fit follows from."""
        shown = hashes(job.tasks, job.item, job.setting)
        made_from = {
            "system": [job.system.id, job.system.version, job.system.code()],
            "inputs": {name: value for name, value in shown.items() if name in job.system.fitting},
            "size": list(job.item.size or job.tasks.size),
            "fps": str(job.item.fps or job.tasks.fps),
            "seed": self._options.seed,
            "threads": self._options.threads,
        }
        return digest(made_from)

    def of(self, job: Job, log: Path) -> Fit:
        """The fit of a job, made now if it isn't there; InputError, reason ``fit failed``, if it can't be made."""
        key = self.key(job)
        folder = self._options.fits / f"{job.system.id}-{key[:20]}"
        with self._guard:
            lock = self._locks[key]
        with lock:
            if key in self._failed:
                raise self._failed[key]
            held = f"another process has been fitting {job.system.id} for a day; end it, or name other --fits"
            with locked(folder.with_name(f".{folder.name}.lock"), held=held, longest_wait_s=LONGEST_WAIT_S):
                found = _there(folder)
                if found is None:
                    try:
                        found = self._made(job, folder, log)
                    except InputError as error:
                        self._failed[key] = error
                        raise
                return found

    def _made(self, job: Job, folder: Path, log: Path) -> Fit:
        began = time.monotonic()
        with staged(job.tasks, job.item, job.setting, only=job.system.fitting) as stage:
            alike = replace(stage, inputs=replace(stage.inputs, item="fit", frames=None))
            ended = self._perform(job, alike, job.system.fit_work(alike, seed=self._options.seed), log)
            if ended.over:
                raise InputError(f"fitting went beyond its bound of {ended.over}", reason="fit failed")
            if ended.code != 0:
                why = job.system.refusal(alike, ended.code, log)
                raise InputError(f"fitting failed: {why}", reason="fit failed")
            made = stage.out / "fit"
            if not made.is_dir():
                raise InputError("fitting ended without leaving anything", reason="fit failed")
            part = folder.with_name(f".{folder.name}.part")
            shutil.rmtree(part, ignore_errors=True)
            shutil.copytree(made, part)
        seconds = time.monotonic() - began
        (part / FITTED).write_text(json.dumps({"seconds": seconds}), encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        part.replace(folder)
        return Fit(folder, seconds)


def _there(folder: Path) -> Fit | None:
    try:
        return Fit(folder, float(json.loads((folder / FITTED).read_text(encoding="utf-8"))["seconds"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
