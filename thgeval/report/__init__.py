"""One self-contained HTML page that shows a run, or several systems: scores, coverage, curves, the worst moments.

from thgeval.report import write, write_systems
write(Path("run.json"), Path("run.html"))
write_systems({"ours": Path("ours.json"), "wav2lip": Path("wav2lip.json")}, Path("both.html"))
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from thgeval.errors import ProtocolError
from thgeval.files import write_atomically
from thgeval.report.page import page
from thgeval.report.systems import page_of_systems
from thgeval.results import Run

__all__ = ["page", "page_of_systems", "write", "write_systems"]

LONGEST = 100
"""Characters of a page's own name."""


def write(run_path: Path, out: Path | None = None, *, worst: int = 6, clips: Sequence[Path] = ()) -> Path:
    """Write the report of a result file and return where it lies: ``out``, or beside it with the suffix ``.html``.

    Pictures come from clips below the result file's folder, or below the folders ``clips``; no other is opened.

    Raises ProtocolError for a file that is no result file or would be overwritten, OutputError if writing fails.
    """
    target = _target([run_path], out)
    return _written(target, page(Run.read(run_path), worst=worst, clips=clips))


def write_systems(
    results: Mapping[str, Path], out: Path | None = None, *, worst: int = 6, clips: Sequence[Path] = ()
) -> Path:
    """Write one report of several result files by the names of their systems, and return where it lies.

    That is ``out``, or beside the first under the names of all, joined by ``-vs-``. Errors and pictures as ``write``.
    """
    target = _target(list(results.values()), out)
    runs = {name: Run.read(path) for name, path in results.items()}
    return _written(target, page_of_systems(runs, worst=worst, clips=clips))


def _target(results: Sequence[Path], out: Path | None) -> Path:
    """Where a report goes; ProtocolError if that is one of the result files."""
    joined = "-vs-".join(path.stem for path in results)[:LONGEST]
    target = results[0].with_name(f"{joined}.html") if out is None else out
    for path in results:
        if target.resolve() == path.resolve():
            raise ProtocolError(f"the report would overwrite the result file {path}; choose another name with --out")
    return target


def _written(target: Path, text: str) -> Path:
    # A file name that is not valid Unicode is shown with its odd bytes spelt out.
    write_atomically(target, text.encode("utf-8", "backslashreplace"))
    return target
