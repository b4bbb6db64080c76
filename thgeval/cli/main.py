"""The ``thgeval`` command: a list of commands, and the one place where errors become sentences and exit codes.

0    everything expected was scored
1    some clip could not be scored; it is named on stderr and in the result
2    the request makes no sense
3    a metric asked for by name can't be scored: something it needs is missing
4    a result could not be written
130  interrupted
"""

import os
import sys
from difflib import get_close_matches
from importlib import import_module

import click

from thgeval.cli.arguments import gathered
from thgeval.cli.showing import say
from thgeval.errors import ThgevalError
from thgeval.version import __version__

COMMANDS = {
    "baseline": "Run reference generators, controls, others' models.",
    "cite": "Print BibTeX of what metrics are defined in.",
    "compare": "Test whether systems differ, on the clips they share.",
    "explain": "Say what a signature, metric or preset is.",
    "export": "Write values per clip and frame as tables.",
    "fetch": "Download weights of networks.",
    "leaderboard": "Keep entries, check them, build the site.",
    "ls": "List metrics, protocols, data sets, weights.",
    "merge": "Merge results of different clips.",
    "opinion": "Hold scores against what people said.",
    "plan": "Say what scoring many clips will cost.",
    "report": "Show runs as one HTML page.",
    "score": "Score clips: the main job.",
    "selftest": "Compute known answers on this machine.",
    "synth": "Render a synthetic set with exact truth.",
    "table": "Put systems side by side, for a paper.",
    "time": "Run a generator and record how long it takes.",
    "validate": "Say what is wrong with clips.",
    "verify": "Recompute a result from its values or clips.",
}
"""Every command and what it does: a module of this package each, which is imported when it is named."""


class Commands(click.Group):
    """Commands imported when they are named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in alphabetical order."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"thgeval.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first argument names; what is nearly one is offered."""
        name = args[0]
        if not name.startswith("-") and name not in COMMANDS:
            near = get_close_matches(name.lower(), COMMANDS, n=1)
            ctx.fail(f"no command is called {name!r}{f'; did you mean {near[0]}?' if near else ''}")
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="thgeval")
def thgeval() -> None:
    """Comparable scores for talking-head generation.

    \b
    thgeval score PRED_DIR GT_DIR                        every clip against its namesake
    thgeval score PRED_DIR GT_DIR -m all -o ours.json    all metrics, kept in a file
    thgeval score OURS THEIRS GT_DIR -o table.tex        several systems, as the table for a paper
    thgeval table ours.json theirs.json -f latex         the same table, from results
    thgeval ls                                           metrics, and what is ready here
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    sys.exit(code(sys.argv[1:] if arguments is None else arguments))


def code(arguments: list[str]) -> int:
    """Run the command line; the exit code."""
    try:
        colours = False if os.environ.get("NO_COLOR") else None  # else if that is a terminal
        result = thgeval.main(gathered(arguments), prog_name="thgeval", standalone_mode=False, color=colours)
    except click.ClickException as error:
        error.show()
        return 2
    except ThgevalError as error:
        say(str(error))
        return error.exit_code
    except (KeyboardInterrupt, click.Abort) as error:
        say(str(error) or str(error.__cause__ or "") or "interrupted")  # click raises Abort from what ended it
        return 130
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    main()
