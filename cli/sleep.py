"""`dormouse sleep`, `cycles` and `cancel`."""

from typing import Annotated

import typer

from cli.chat import ModelOption
from cli.client import DormouseClient
from cli.console import HomeOption, console, fail_in_one_line
from cli.home import Home
from cli.render import cycle_details, cycle_table, gate_table
from cli.sleep_view import Cycle, follow_cycle


@fail_in_one_line
def sleep(
    reason: Annotated[str | None, typer.Option(help="Why now; kept with the cycle.")] = None,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Follow it to its end.")] = True,
    model: ModelOption = "default",
    home: HomeOption = None,
) -> None:
    """Start a sleep cycle and watch it.

    Exit status 0: promoted, or skipped because there was nothing to learn. 1: anything else.
    Ctrl-C stops watching; the cycle goes on (`dormouse cancel` ends it).

    For example:

      dormouse sleep --reason "after the corrections of today"
    """
    with DormouseClient.from_home(Home.at(home)) as client:
        cycle = client.start_cycle(model=model, reason=reason)
        console.print(f"Sleep cycle {cycle['id']}")
        if not wait:
            console.print(f"Look at it: dormouse cycles {cycle['id']}")
            return
        try:
            cycle = follow_cycle(lambda: client.cycle(cycle["id"]), console)
        except KeyboardInterrupt:
            console.print(f"\nIt goes on. Look at it: dormouse cycles {cycle['id']}")
            raise typer.Exit(1) from None
    _say_end(cycle)
    if cycle["status"] not in ("promoted", "skipped"):
        raise typer.Exit(1)


@fail_in_one_line
def cycles(
    cycle_id: Annotated[str | None, typer.Argument(metavar="[ID]")] = None,
    home: HomeOption = None,
) -> None:
    """List the newest sleep cycles, or show one with the gate's report."""
    with DormouseClient.from_home(Home.at(home)) as client:
        if cycle_id is not None:
            console.print(cycle_details(client.cycle(cycle_id)))
            return
        rows = client.cycles()
    console.print(cycle_table(rows) if rows else "It never slept. Start one: dormouse sleep")


@fail_in_one_line
def cancel(cycle_id: Annotated[str, typer.Argument(metavar="ID")], home: HomeOption = None) -> None:
    """Stop a sleep cycle cleanly; its traces return to the queue."""
    with DormouseClient.from_home(Home.at(home)) as client:
        cycle = client.cancel_cycle(cycle_id)
    console.print(f"Sleep cycle {cycle_id}: asked to stop (now {cycle['status']}).")


def _say_end(cycle: Cycle) -> None:
    if cycle.get("gate") is not None:
        console.print(gate_table(cycle["gate"]))
    match cycle["status"]:
        case "promoted":
            console.print(f"[bold green]Promoted[/]: adapter {cycle['adapter']} answers now.")
        case "skipped":
            console.print(f"Skipped: {cycle.get('error') or 'there was nothing to learn'}.")
        case status:
            why = cycle.get("error") or (cycle.get("gate") or {}).get("reason") or ""
            console.print(f"[bold red]{status.capitalize()}[/]:", end=" ")
            console.print(f"{why} What answered before still does.", markup=False)
