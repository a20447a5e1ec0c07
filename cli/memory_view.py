"""How memories look on a terminal, and by which short names they are called."""

import re
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.text import Text

from cli.client import DormouseClient
from cli.errors import ApiError
from cli.render import coloured, pairs

Json = dict[str, Any]

# The end of an id: memories of one night begin alike.
SHORT_ID_CHARS = 8
_SHORT = re.compile(rf"[0-9a-f]{{{SHORT_ID_CHARS}}}", re.IGNORECASE)


def short_id(memory_id: str) -> str:
    """The end of an id, which a command takes as well."""
    return memory_id[-SHORT_ID_CHARS:]


def full_id(client: DormouseClient, given: str) -> str:
    """The id that a short one stands for; any other is taken as it is.

    Raises:
        ApiError: If no memory, or more than one, has such an id.
    """
    if not _SHORT.fullmatch(given):
        return given
    found = [row["id"] for row in client.memories() if row["id"].endswith(given.lower())]
    if len(found) != 1:
        raise ApiError(
            f"{len(found) or 'No'} memories have an id that ends with {given}. Give the whole id: "
            "`dormouse memories` shows the ends of all."
        )
    return str(found[0])


def memory_list(memories: list[Json]) -> RenderableType:
    """One block for each memory: its short id, state and kind, and what it teaches."""
    return Group(*(_block(memory) for memory in memories))


def memory_details(memory: Json) -> RenderableType:
    """One memory, with the words that it rests on."""
    evidence = [f"{item['trace_id']}: “{item['quote']}”" for item in memory.get("evidence") or []]
    names = "id kind persistence state held_for authority scope subject relation question answer"
    names += " value reason language expires_at superseded_by reviewed_by document_id cycle_id"
    names += " created_at"
    rows = [(name.replace("_", " "), escape(str(memory.get(name) or ""))) for name in names.split()]
    return pairs([*rows, ("evidence", escape("\n".join(evidence)))])


def taught(memory: Json) -> RenderableType:
    """What a memory teaches: the question, the answer with its value marked."""
    answer = Text(f"-> {memory.get('answer') or ''}")
    value = memory.get("value") or ""
    if value:
        answer.highlight_regex(re.compile(re.escape(value), re.IGNORECASE), "bold green")
    if value.lower() not in answer.plain.lower():
        answer.append(f" ({value})", "bold green")
    return Group(Text(memory.get("question") or "(no question)"), answer)


def _block(memory: Json) -> RenderableType:
    state = coloured(memory["state"])
    if memory.get("held_for"):
        state += f" for {memory['held_for']}"
    kind = memory.get("kind") or ""
    if memory.get("persistence") not in (None, "long_term"):
        kind += f", {memory['persistence']}"
    head = f"[dim]{escape(short_id(memory['id']))}[/]  {state}  [dim]{kind}[/]"
    return Group(Text.from_markup(head), Padding.indent(taught(memory), 2))
