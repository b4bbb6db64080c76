"""The ``thgeval`` command: a list of commands, and the one place where errors become sentences and exit codes.

0    everything expected was scored
1    some clip could not be scored; it is named on stderr and in the result
2    the request makes no sense
3    a metric asked for by name can't be scored: something it needs is missing
4    a result could not be written
130  interrupted
"""

import sys
from difflib import get_close_matches
from importlib import import_module

import click

from thgeval.cli.arguments import gathered
from thgeval.cli.showing import say
from thgeval.errors import ThgevalError
from thgeval.version import __version__

COMMANDS = (
    "baseline",
    "cite",
    "compare",
    "explain",
    "export",
    "fetch",
    "leaderboard",
    "ls",
    "merge",
    "opinion",
    "plan",
    "report",
    "score",
    "selftest",
    "synth",
    "table",
    "time",
    "validate",
    "verify",
)


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
    thgeval table ours.json theirs.json -f latex         the table for a paper
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
        result = thgeval.main(gathered(arguments), prog_name="thgeval", standalone_mode=False)
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
