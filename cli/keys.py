"""`dormouse keys`: who may call, and what with."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from cli.client import DormouseClient
from cli.console import HomeOption, console, errors, fail_in_one_line
from cli.home import Home
from cli.render import key_table

MAX_DAYS = 36500

app = typer.Typer(invoke_without_command=True, rich_markup_mode="markdown")


class Role(StrEnum):
    """What a key may do."""

    CHAT = "chat"
    TEACHER = "teacher"
    ADMIN = "admin"


@app.callback()
@fail_in_one_line
def keys(context: typer.Context, home: HomeOption = None) -> None:
    """List the keys that may call, or make (`add`) and revoke (`revoke`) one. Needs an admin key.

    A `chat` key is an application's, which speaks for many. A `teacher` key is one person's: what
    is said with it counts at once, and it may review memories. An `admin` key also runs the system.

    For example:

      dormouse keys

      dormouse keys add --role chat --name shop

      dormouse keys revoke 0193…

    Who lost the last admin key makes one in the database: `python -m api.keys --help`.
    """
    context.obj = home
    if context.invoked_subcommand is None:
        with _client(context, home) as client:
            console.print(key_table(client.keys(), now=datetime.now(UTC)))


@app.command()
@fail_in_one_line
def add(
    context: typer.Context,
    role: Annotated[Role, typer.Option(help="What it may do: see `dormouse keys --help`.")],
    name: Annotated[
        str,
        typer.Option(help="Whose it is: an application's name, or a person's. Never used twice."),
    ],
    expires_days: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MAX_DAYS,
            metavar="N",
            help="Let it end after N days. [default: it works until it is revoked]",
            show_default=False,
        ),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Make a key and print it, this once: only its hash is stored.

    The key alone goes to standard output, so that it can go straight to where it is kept.

    For example:

      dormouse keys add --role teacher --name anna --expires-days 90

      dormouse keys add --role chat --name shop > shop.key
    """
    days = None if expires_days is None else timedelta(days=expires_days)
    expires_at = None if days is None else (datetime.now(UTC) + days).isoformat()
    with _client(context, home) as client:
        made = client.add_key(name=name, role=role.value, expires_at=expires_at)
    console.print(made["key"], markup=False, soft_wrap=True)
    errors.print(
        f"This is the {made['role']} key [bold]{escape(made['name'])}[/], id {made['id']}. "
        "It is shown this once: keep it now.",
        soft_wrap=True,
    )


@app.command()
@fail_in_one_line
def revoke(
    context: typer.Context,
    key_id: Annotated[
        str, typer.Argument(metavar="KEY_ID", help="As `dormouse keys` shows it, not the key.")
    ],
    home: HomeOption = None,
) -> None:
    """Let a key stop working everywhere, within a second and for good.

    It stays in the list, and its name taken: what was done with it is recorded by that name. The
    last admin key that works is not revoked: make another first.

    For example:

      dormouse keys

      dormouse keys revoke 0193…
    """
    with _client(context, home) as client:
        gone = client.revoke_key(key_id)
    console.print(
        f"Revoked: the {gone['role']} key [bold]{escape(gone['name'])}[/]. It works nowhere any "
        "more.",
        soft_wrap=True,
    )


def _client(context: typer.Context, home: Path | None) -> DormouseClient:
    """`--home` may stand before `add` and `revoke`, or behind them."""
    return DormouseClient.from_home(Home.at(home or context.obj))
