"""`dormouse adapters`, `memories` and `rollback`: what was learned."""

from typing import Annotated

import typer

from cli.chat import ModelOption
from cli.client import DormouseClient
from cli.console import HomeOption, console, fail_in_one_line
from cli.errors import ApiError
from cli.home import Home
from cli.memory_view import full_id, memory_details, memory_list
from cli.render import adapter_details, adapter_table


@fail_in_one_line
def adapters(
    version: Annotated[int | None, typer.Argument(metavar="[VERSION]")] = None,
    model: ModelOption = "default",
    home: HomeOption = None,
) -> None:
    """List adapter versions, or show one with its lineage and gate report."""
    with DormouseClient.from_home(Home.at(home)) as client:
        if version is not None:
            console.print(adapter_details(client.adapter(version, model=model)))
            return
        rows = client.adapters()
    console.print(adapter_table(rows) if rows else "No adapter yet: the bare base answers.")


@fail_in_one_line
def memories(
    memory_id: Annotated[str | None, typer.Argument(metavar="[ID]")] = None,
    state: Annotated[str | None, typer.Option(help="Only these, say `held`.")] = None,
    home: HomeOption = None,
) -> None:
    """List what was kept of the conversations, or show one memory with its reason and evidence.

    An id may be shortened to its last eight characters, as the list shows it.
    """
    with DormouseClient.from_home(Home.at(home)) as client:
        if memory_id is not None:
            console.print(memory_details(client.memory(full_id(client, memory_id))))
            return
        rows = client.memories(state=state)
    none = f"None is {state}." if state else "No memories yet. They are made in its sleep."
    console.print(memory_list(rows) if rows else none)


@fail_in_one_line
def rollback(
    to: Annotated[
        str | None, typer.Option(help="A version or `base`. [default: the version before]")
    ] = None,
    relearn: Annotated[
        bool, typer.Option(help="Let the next sleep cycle learn again what goes with it.")
    ] = False,
    model: ModelOption = "default",
    home: HomeOption = None,
) -> None:
    """Let another version answer; running replies finish on the one they began with.

    What it does not know is taken back: no later night rehearses it. It waits for `dormouse
    review`, or with --relearn for the next night.

    For example:

      dormouse rollback

      dormouse rollback --to base
    """
    if to is not None and to != "base" and not to.isdecimal():
        raise ApiError(f"--to takes a version number or `base`, not {to!r}.")
    target = int(to) if to is not None and to.isdecimal() else to
    with DormouseClient.from_home(Home.at(home)) as client:
        moved = client.rollback(model=model, to=target, relearn=relearn)
    console.print(f"[bold]{moved['active']}[/] answers now; before: {moved['previous']}.")
    if moved["taken_back"]:
        fate = "waiting for the next night" if relearn else "`rolled_back`: see `dormouse memories`"
        console.print(f"{moved['taken_back']} memories went with it, {fate}.")
    if moved["restored"]:
        console.print(f"{moved['restored']} memories are in force again.")
