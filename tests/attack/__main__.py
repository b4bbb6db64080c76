"""``python -m attack [OUT.json]``, from tests/: a thousand hostile inputs and a hundred kills; what held, as JSON."""

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from attack.kills import killed
from attack.kinds import CLAIMS, KINDS, attacked

parser = argparse.ArgumentParser(prog="python -m attack", description=__doc__)
parser.add_argument("out", nargs="?", type=Path, help="where the figures go; standard output without")
parser.add_argument("--seed", type=int, default=11)
parser.add_argument("--kinds", nargs="*", choices=[*KINDS, *CLAIMS, "kills"], help="these alone")
parser.add_argument("--share", type=float, default=1.0, help="of the number of inputs of each kind")
parser.add_argument("--kills", type=int, default=100)
parser.add_argument("--hang", type=float, default=60.0, help="seconds after which a run counts as hung")

if __name__ == "__main__":
    given = parser.parse_args()
    names = given.kinds or [*KINDS, *CLAIMS, "kills"]
    figures = {}
    with TemporaryDirectory(prefix="attack-") as folder:
        for name in names:
            work = Path(folder, name)
            work.mkdir()
            figures[name] = (
                killed(work, given.kills, given.seed)
                if name == "kills"
                else attacked(work, name, given.seed, given.share, given.hang)
            )
            print(name, json.dumps(figures[name]), file=sys.stderr, flush=True)
            if given.out:
                kept = json.loads(given.out.read_text()) if given.out.exists() else {}
                given.out.write_text(json.dumps({**kept, **figures}, indent=1) + "\n")
    if not given.out:
        print(json.dumps(figures, indent=1))
    sys.exit(any(found.get("findings") for found in figures.values()))
