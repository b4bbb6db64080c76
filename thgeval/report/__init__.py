"""One self-contained HTML page that shows a run: scores, coverage, distributions, curves, and the worst frames.

from thgeval.report import page, write
write(Path("run.json"), Path("run.html"))
"""

from collections.abc import Sequence
from pathlib import Path

from thgeval.errors import ProtocolError
from thgeval.files import write_atomically
from thgeval.report.page import page
from thgeval.results import Run

__all__ = ["page", "write"]


def write(run_path: Path, out: Path | None = None, *, worst: int = 6, clips: Sequence[Path] = ()) -> Path:
    """Write the report of a result file and return where it lies: ``out``, or beside it with the suffix ``.html``.

    Pictures come from clips below the result file's folder, or below the folders ``clips``; no other is opened.

    Raises ProtocolError for a file that is no result file or would be overwritten, OutputError if writing fails.
    """
    target = run_path.with_suffix(".html") if out is None else out
    if target.resolve() == run_path.resolve():
        raise ProtocolError(f"the report would overwrite the result file {run_path}; choose another name with --out")
    # A file name that is not valid Unicode is shown with its odd bytes spelt out.
    write_atomically(target, page(Run.read(run_path), worst=worst, clips=clips).encode("utf-8", "backslashreplace"))
    return target
