"""How the command line speaks: one console, one-line errors, addresses found in one place."""

import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, ParamSpec, TypeVar

import typer
from rich.console import Console

from shared.errors import DormouseError

P = ParamSpec("P")
R = TypeVar("R")

console = Console(highlight=False)
errors = Console(stderr=True, highlight=False)

HomeOption = Annotated[
    Path | None,
    typer.Option(
        "--home",
        help="Where the local stack lives. [default: $DORMOUSE_HOME or .dormouse]",
        show_default=False,
    ),
]


def fail_in_one_line(command: Callable[P, R]) -> Callable[P, R]:
    """Turn errors that were raised on purpose into one clear message and exit status 1."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except DormouseError as error:
            errors.print("[bold red]error[/]", end=" ")
            errors.print(error.message, markup=False, soft_wrap=True)
            raise typer.Exit(1) from error
        except BrokenPipeError:
            sys.stderr.close()
            raise typer.Exit(0) from None

    return run
