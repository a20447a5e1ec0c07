"""`dormouse sleep`, `cycles` and `cancel`."""

from typing import Annotated

import typer

from cli.chat import ModelOption
from cli.client import DormouseClient
from cli.console import HomeOption, console, fail_in_one_line
from cli.home import Home
from cli.render import cycle_details, cycle_table, gate_table
from cli.sleep_view import Cycle, follow_cycle
from shared.contracts.cycles import Stage


@fail_in_one_line
def sleep(
    reason: Annotated[str | None, typer.Option(help="Why now; kept with the cycle.")] = None,
    propose: Annotated[
        bool, typer.Option("--propose", help="Read and decide, so that you can look; do not train.")
    ] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Follow it to its end.")] = True,
    model: ModelOption = "default",
    home: HomeOption = None,
) -> None:
    """Start a sleep cycle and watch it.

    Exit status 0: promoted, proposed, or skipped because there was nothing to learn. 1: anything
    else.
    Ctrl-C stops watching; the cycle goes on (`dormouse cancel` ends it).

    For example:

      dormouse sleep --reason "after the corrections of today"

      dormouse sleep --propose
    """
    with DormouseClient.from_home(Home.at(home)) as client:
        stop_after = Stage.RESOLVE.value if propose else None
        cycle = client.start_cycle(model=model, reason=reason, stop_after=stop_after)
        console.print(f"Sleep cycle {cycle['id']}")
        if not wait:
            console.print(f"Look at it: dormouse cycles {cycle['id']}")
            return
        try:
            cycle = follow_cycle(lambda: client.cycle(cycle["id"]), console)
        except KeyboardInterrupt:
            console.print(f"\nIt goes on. Look at it: dormouse cycles {cycle['id']}")
            raise typer.Exit(1) from None
        if cycle["status"] == "proposed":
            _say_proposed(client)
            return
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


def _say_proposed(client: DormouseClient) -> None:
    """What the next night may learn, and what waits for somebody."""
    lasting = [row for row in client.memories(state="pending") if _lasts(row)]
    num_taught = sum(row.get("authority") is not None for row in lasting)
    num_held = sum(_lasts(row) for row in client.memories(state="held"))
    console.print(
        f"[bold green]Proposed[/]: {num_taught} lessons may be taught by the next night, "
        f"{num_held} are held. Nothing was trained."
    )
    if num_taught or num_held:
        console.print("Look at them: dormouse review --pending")


def _lasts(memory: Cycle) -> bool:
    return bool(memory.get("persistence") == "long_term")


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
