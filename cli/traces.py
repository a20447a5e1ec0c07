"""`dormouse trace`, `export`, `import` and `erase`: what was said, one by one or as a file."""

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from cli.chat import ModelOption
from cli.client import DormouseClient, Json
from cli.console import HomeOption, console, fail_in_one_line
from cli.errors import ApiError
from cli.home import Home


@fail_in_one_line
def trace(
    trace_id: Annotated[str, typer.Argument(metavar="TRACE", help="Its id.")],
    home: HomeOption = None,
) -> None:
    """Show one exchange, why it was kept or not, and which memories rest on it."""
    with DormouseClient.from_home(Home.at(home)) as client:
        record = client.trace(trace_id)
    said = record["trace"]
    choices = (said["reply"] or {}).get("choices", [])[:1]
    asked = said["request"].get("messages", [])
    if "prompt" in said["request"]:
        asked = [{"role": "prompt", "content": said["request"]["prompt"]}]
    for message in [*asked, *(choice["message"] for choice in choices)]:
        console.print(f"[bold]{message['role']}[/]  {escape(str(message.get('content') or ''))}")
    console.print(f"[dim]{said['status']}, {record['state']}, session {said['session_id']}[/]")
    if said.get("error"):
        console.print(escape(said["error"]))
    for signal in record["signals"]:
        given = {k: signal[k] for k in ("rating", "correction", "comment") if signal[k] is not None}
        words = ", ".join(f"{name}: {value}" for name, value in given.items())
        console.print(f"[cyan]{signal['source']}[/]  {escape(words)}")
    for decision in record["decisions"]:
        console.print(f"[cyan]{decision['persistence']}[/]  {escape(decision['reason'])}")
    for memory_id in record["memory_ids"]:
        console.print(f"memory {memory_id}")


@fail_in_one_line
def erase(
    item_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="A trace's, or a document's.")
    ] = None,
    document: Annotated[bool, typer.Option("--document", help="The id is a document's.")] = False,
    author: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="All of a person, by the name that your application gives; `key:NAME` is who "
            "speaks with that key and names nobody.",
        ),
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why; it stays with what is empty.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    home: HomeOption = None,
) -> None:
    """Erase a trace and the turns that repeat it, a document, or a person, and what was learned.

    Versions that know it never answer again; what else they knew, and what others said too, is
    learned again by the next nights. It cannot be undone.

    Of a person goes all that he said, on every model, and the feedback that he gave. What he says
    from then on is new.

    For example:

      dormouse trace 0193…

      dormouse erase 0193… --reason "request 17 of the customer"

      dormouse erase --document 0194… --reason "not ours"

      dormouse erase --author ada@example.com --reason "request 18"
    """
    if (item_id is None) == (author is None) or (document and author is not None):
        raise ApiError(
            "Say what: TRACE, or --document ID, or --author NAME, and one of them. See "
            "`dormouse erase --help`."
        )
    kind = "documents" if document else "traces"
    what = f"{kind[:-1]} {item_id}" if author is None else f"everything that {author!r} said"
    if not yes:
        typer.confirm(f"Erase {what} and what was learned from it, for good?", abort=True)
    with DormouseClient.from_home(Home.at(home)) as client:
        if author is not None:
            _show_person(client.erase_author(author, reason=reason))
            return
        erased = client.erase(kind, item_id or "", reason=reason)
    _show_erased(erased, "1 document" if document else f"{len(erased['trace_ids'])} traces")


def _show_person(erased: Json) -> None:
    for name, of_model in erased["models"].items():
        console.print(f"[bold]{escape(name)}[/]")
        _show_erased(of_model, f"{len(of_model['trace_ids'])} traces")
    others = f"{erased['num_signals']} times feedback on what others said"
    console.print(f"Erased: {others}, {erased['num_spooled']} traces in the spool.")


def _show_erased(erased: Json, what: str) -> None:
    console.print(f"Erased: {what}, {len(erased['memory_ids'])} memories.")
    if erased["reread"]:
        console.print(f"{len(erased['reread'])} traces said the same: the next night reads them.")
    if erased["adapters"]:
        console.print(f"Never answer again: versions {', '.join(map(str, erased['adapters']))}.")
    if erased["active"] != erased["previous"]:
        console.print(f"[bold]{erased['active']}[/] answers now; before: {erased['previous']}.")
    if erased["to_relearn"]:
        console.print(
            f"{erased['to_relearn']} other memories wait to be learned again by `dormouse sleep`."
        )


@fail_in_one_line
def export_traces(
    file: Annotated[Path, typer.Argument(help="Where to write; must not exist yet.")],
    model: ModelOption = "default",
    home: HomeOption = None,
) -> None:
    """Write all complete exchanges as JSONL, in OpenAI's chat format.

    For example:

      dormouse export traces.jsonl
    """
    partial = file.with_name(f"{file.name}.partial")
    if file.exists():
        raise ApiError(f"{file} exists; name another file, or move it away.")
    num_lines = 0
    with DormouseClient.from_home(Home.at(home)) as client:
        try:
            with partial.open("wb") as output:
                for piece in client.export_traces(model=model):
                    num_lines += piece.count(b"\n")
                    output.write(piece)
            partial.rename(file)
        finally:
            partial.unlink(missing_ok=True)
    console.print(f"{num_lines} exchanges are in {file}.")


@fail_in_one_line
def import_traces(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSONL.")],
    model: ModelOption = "default",
    home: HomeOption = None,
) -> None:
    """Bring conversations in; the next sleep cycle reads them. The same line twice counts once.

    Each line holds `{"messages": [...]}` in OpenAI's chat format, or was written by `export`.

    For example:

      dormouse import traces.jsonl

      dormouse sleep
    """
    with DormouseClient.from_home(Home.at(home)) as client, file.open("rb") as lines:
        found = client.import_traces(lines, model=model)
    known = f", {found['known']} were known" if found["known"] else ""
    console.print(f"{found['imported']} exchanges are queued{known}.")
