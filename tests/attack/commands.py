"""Run command lines of ``thgeval`` one after another in one process, and say how each ended, as a line of JSON.

Read by ``attack.runner``: a line of standard input is a list of arguments, the answer goes to file descriptor 3.
"""

import contextlib
import io
import json
import os
import sys
import traceback

from thgeval.cli.main import code
from thgeval.engine.provenance import peak_bytes


def main() -> None:
    """Answer each line before the next is read."""
    with os.fdopen(3, "w") as answers:
        for line in sys.stdin:
            out, err = io.StringIO(), io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                try:
                    ended = code(json.loads(line))
                except BaseException:
                    ended = -1
                    traceback.print_exc()
            answers.write(json.dumps({"code": ended, "err": err.getvalue(), "peak": peak_bytes()}) + "\n")
            answers.flush()


if __name__ == "__main__":
    main()
