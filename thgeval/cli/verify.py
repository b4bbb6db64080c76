"""``thgeval verify``: is a result what it says it is?"""

from pathlib import Path

import click

from thgeval.cli.arguments import RESULT
from thgeval.cli.showing import say, show

FOLDER = click.Path(path_type=Path)


@click.command("verify")
@click.argument("result", type=RESULT, metavar="RUN.json")
@click.argument("pred_dir", type=FOLDER, required=False)
@click.argument("gt_dir", type=FOLDER, required=False)
def command(result: Path, pred_dir: Path | None, gt_dir: Path | None) -> int:
    """Compute the scores of RUN.json again from its values per clip and from the states beside it.

    With PRED_DIR and GT_DIR, also tell whether the clips are those that were scored. Nothing is measured again. The
    exit code is 1 if anything differs.
    """
    from thgeval.engine.verification import verified

    found = verified(result, pred_dir, gt_dir)
    for sentence in found.differs:
        say(sentence)
    if found.differs:
        show(f"{len(found.differs)} differences; compared: {'; '.join(found.checked)}")
        return 1
    show(f"as it says; compared: {'; '.join(found.checked)}")
    return 0
