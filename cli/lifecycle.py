"""`dormouse up`, `down`, `status` and `logs`: the local stack on this machine."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.markup import escape
from rich.table import Table

from cli.boot_view import BootView
from cli.console import HomeOption, console, fail_in_one_line
from cli.errors import StackError, StackNotRunningError
from cli.home import Home, StackState
from cli.stack import LocalStack

DEFAULT_PORT = 8400


@fail_in_one_line
def up(
    port: Annotated[int, typer.Option(help="The API's port on 127.0.0.1.")] = DEFAULT_PORT,
    detach: Annotated[
        bool, typer.Option("--detach", "-d", help="Return once it is ready; end it with `down`.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """Run the whole stack on this machine: PostgreSQL, Valkey, vLLM, API, worker and beat.

    Ctrl-C ends it. Addresses and keys are written to `.dormouse/local.env`.

    A service that you name yourself is not started: set DORMOUSE_DATABASE_URL,
    DORMOUSE_REDIS_URL or DORMOUSE_ENGINE_URL.

    For example:

      dormouse up

      dormouse up --detach --port 9000

      DORMOUSE_ENGINE_URL=http://gpu-host:8000 dormouse up
    """
    stack = LocalStack(home, port=port, attached=not detach)
    running = stack.state()
    if running is not None:
        console.print(f"Already running at {running.url} (supervisor {running.supervisor.pid}).")
        console.print("See `dormouse status`; end it with `dormouse down`.")
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console.print(f"Starting in {stack.home.path}; the engine takes most of a minute.")
    try:
        with BootView(console) as view:
            stack.start(view.on_event)
        _say_ready(stack, detach=detach)
        if not detach:
            stack.wait(BootView(console).on_event)
    except KeyboardInterrupt:
        console.print("\nEnding everything...")
        stack.stop(BootView(console).on_event)


@fail_in_one_line
def down(home: HomeOption = None) -> None:
    """End the stack that runs in this home, and nothing else."""
    stack = LocalStack(home)
    if stack.stop(BootView(console).on_event):
        console.print("Everything has ended.")
    else:
        console.print(f"Nothing was running in {stack.home.path}.")


@fail_in_one_line
def status(home: HomeOption = None) -> None:
    """Show what runs, since when, and whether the API is ready. Exit status 1: not ready."""
    stack = LocalStack(home)
    state = stack.state()
    if state is None:
        raise StackNotRunningError(f"Nothing runs in {stack.home.path}. Start it: dormouse up")
    console.print(_services(state))
    ready, why = _readiness(state.url)
    console.print(
        f"{state.url}  " + ("[green]ready[/]" if ready else f"[red]not ready[/] {why}"),
        soft_wrap=True,
    )
    if not ready:
        raise typer.Exit(1)


@fail_in_one_line
def logs(
    name: Annotated[
        str | None, typer.Argument(help="postgres, valkey, engine, migrations, api, worker, beat")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines.")] = 40,
    home: HomeOption = None,
) -> None:
    """Show the last lines of one service's log, or of all.

    For example:

      dormouse logs engine

      dormouse logs worker --follow
    """
    folder = Home.at(home).logs
    files = sorted(folder.glob(f"{name or '*'}.log"))
    if not files:
        known = ", ".join(sorted(path.stem for path in folder.glob("*.log"))) or "none yet"
        raise StackError(f"There is no log {name or ''} in {folder}; there is: {known}.")
    sizes = {path: path.stat().st_size for path in files}
    for path in files:
        for line in _last_lines(path, lines):
            _print_line(path, line, alone=len(files) == 1)
    try:
        while follow:
            for path in files:
                for line in _new_lines(path, sizes):
                    _print_line(path, line, alone=len(files) == 1)
            time.sleep(0.3)
    except KeyboardInterrupt:
        return


def _say_ready(stack: LocalStack, *, detach: bool) -> None:
    console.print(f"\n[bold green]Ready[/] at [bold]{stack.url}[/]")
    console.print(f"Keys are in {stack.home.local_env}. Try: dormouse chat 'Hello'")
    console.print("End it with `dormouse down`." if detach else "Ctrl-C ends it.")


def _services(state: StackState) -> Table:
    table = Table(box=None, header_style="dim")
    for heading in ("service", "state", "pid", "restarts"):
        table.add_column(heading)
    for name, service in state.services.items():
        colour = {"ready": "green", "done": "green"}.get(service.state, "yellow")
        pid = str(service.process.pid) if service.process else ""
        table.add_row(name, f"[{colour}]{service.state}[/]", pid, str(service.num_restarts or ""))
    return table


def _readiness(url: str) -> tuple[bool, str]:
    try:
        reply = httpx.get(f"{url}/readyz", trust_env=False, timeout=5.0)
    except httpx.HTTPError as error:
        return False, escape(f"the API does not answer: {error}")
    return reply.status_code == 200, escape(reply.text[:500])


def _last_lines(path: Path, num_lines: int) -> list[str]:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 400 * (num_lines + 1)))
        return file.read().decode(errors="replace").splitlines()[-num_lines:]


def _new_lines(path: Path, sizes: dict[Path, int]) -> Iterator[str]:
    size = path.stat().st_size if path.exists() else 0
    if size < sizes[path]:  # the log was turned
        sizes[path] = 0
    if size == sizes[path]:
        return
    with path.open("rb") as file:
        file.seek(sizes[path])
        part = file.read()
    whole = part[: part.rfind(b"\n") + 1]
    sizes[path] += len(whole)
    yield from whole.decode(errors="replace").splitlines()


def _print_line(path: Path, line: str, *, alone: bool) -> None:
    prefix = "" if alone else f"[cyan]{path.stem:<11}[/]"
    console.print(f"{prefix}{escape(line)}", soft_wrap=True)
