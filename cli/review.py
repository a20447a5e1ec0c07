"""`dormouse review`: a person decides about what waits, one by one, in a walk, or many at once."""

from collections import Counter
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.markup import escape

from cli.client import DormouseClient
from cli.console import HomeOption, console, fail_in_one_line
from cli.home import Home
from cli.memory_view import full_id, memory_details, short_id
from cli.review_walk import ReviewWalk


class Decision(StrEnum):
    """What a person says of a memory."""

    ACCEPT = "accept"
    REJECT = "reject"
    EDIT = "edit"


class Bulk(StrEnum):
    """What a person says of many."""

    ACCEPT = "accept"
    REJECT = "reject"


class HeldFor(StrEnum):
    """What held memories wait for."""

    AUTHORS = "authors"
    PERSON = "person"
    CONFLICT = "conflict"
    REJECTED = "rejected"
    SCREEN = "screen"
    LANGUAGE = "language"


@fail_in_one_line
def review(
    memory_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Without it: one after the other.")
    ] = None,
    decision: Annotated[Decision | None, typer.Argument()] = None,
    reason: Annotated[str | None, typer.Option(help="Why; it is kept with the memory.")] = None,
    question: Annotated[str | None, typer.Option(help="With edit: what is asked.")] = None,
    answer: Annotated[str | None, typer.Option(help="With edit: the sentence.")] = None,
    value: Annotated[str | None, typer.Option(help="With edit: the short answer.")] = None,
    pending: Annotated[
        bool, typer.Option("--pending", help="Those that a night may learn, too.")
    ] = False,
    bulk: Annotated[Bulk | None, typer.Option("--all", help="Decide about all at once.")] = None,
    held_for: Annotated[HeldFor | None, typer.Option(help="Only what waits for this.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    home: HomeOption = None,
) -> None:
    """Decide about what is held, may be taught, or was rolled back.

    What is accepted is learned by the next sleep cycle, and replaces what it contradicts; an edit
    accepts it in other words. What is rejected waits for a person should it be said again.

    For example:

      dormouse review

      dormouse review 0193… accept --reason "the office moved"

      dormouse review 0193… edit --answer "It is in Bergen." --value Bergen --reason "it moved"

      dormouse review --all reject --held-for authors --reason "a prank"
    """
    given = {"question": question, "answer": answer, "value": value}
    words = {name: text for name, text in given.items() if text is not None}
    if memory_id is not None:
        if bulk is not None or held_for is not None or pending:
            raise typer.BadParameter("--all, --held-for and --pending go without an ID.")
        if decision is None:
            raise typer.BadParameter("Say what you decide: accept, reject or edit.")
        if bool(words) != (decision is Decision.EDIT):
            raise typer.BadParameter(
                "--question, --answer and --value go with edit, which needs one of them."
            )
        why = _needed(reason)
    elif words:
        raise typer.BadParameter("--question, --answer and --value go with an ID and edit.")
    elif bulk is not None:
        why = _needed(reason)
    with DormouseClient.from_home(Home.at(home)) as client:
        if memory_id is not None and decision is not None:
            one = full_id(client, memory_id)
            decided = client.review(one, decision=decision.value, reason=why, words=words)
            console.print(memory_details(decided))
            return
        queue = _queue(client, held_for, pending=pending)
        if not queue:
            console.print(_nothing_waits(held_for, pending=pending))
        elif bulk is not None:
            _decide_all(client, queue, bulk, why, yes=yes)
        else:
            ReviewWalk(client, console).run(queue)


def _needed(reason: str | None) -> str:
    if not reason:
        raise typer.BadParameter("Say why: --reason is kept with what you decide.")
    return reason


def _queue(
    client: DormouseClient, held_for: HeldFor | None, *, pending: bool
) -> list[dict[str, Any]]:
    rows = client.memories(state="held", held_for=held_for.value if held_for else None)
    if pending and held_for is None:
        rows += client.memories(state="pending")
    return [row for row in rows if row.get("persistence") == "long_term"]


def _nothing_waits(held_for: HeldFor | None, *, pending: bool) -> str:
    if held_for is not None:
        return f"Nothing is held for {held_for.value}."
    more = "" if pending else " See what a night may learn: dormouse review --pending"
    return f"Nothing waits for a person.{more}"


def _decide_all(
    client: DormouseClient, queue: list[dict[str, Any]], bulk: Bulk, reason: str, *, yes: bool
) -> None:
    kinds = Counter(
        f"held for {row['held_for']}" if row.get("held_for") else str(row["state"]) for row in queue
    )
    for kind, number in kinds.most_common():
        console.print(f"{number} {kind}")
    if not yes:
        typer.confirm(f"{bulk.value.capitalize()} all {len(queue)}?", abort=True)
    ids = [str(row["id"]) for row in queue]
    done = client.review_many(ids, decision=bulk.value, reason=reason)
    console.print(f"{len(done['decided'])} {bulk.value}ed.")
    for memory_id, why in done["not_decided"].items():
        console.print(f"[yellow]{short_id(memory_id)}[/]  {escape(why)}")
