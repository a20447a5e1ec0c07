"""The chunks of a stream, many at once where they differ in nothing but a text and its token ids.

Nearly all of a reply is such events. One by one they take twice as long (decision 0028).
"""

import re
from collections.abc import Iterator
from typing import Any

import orjson

END = b"\n\n"
# Proxies keep a connection alive with these.
COMMENT = b":"
OPENING = b'"delta":{"content":"'
# What follows the opening, to the event's end.
REST = re.compile(
    rb'([^"\\]*+(?:\\.[^"\\]*+)*+)"\},"logprobs":null,"finish_reason":null'
    rb'(?:,"stop_reason":null)?(?:,"token_ids":(?:null|\[([\d,]*+)\]))?\}\]\}\n\n'
)


def content(event: bytes) -> bytes:
    """What an event holds."""
    return event.strip().removeprefix(b"data:").strip()


def chunks(events: bytes) -> Iterator[dict[str, Any]]:
    """Chunks that say what these whole events say; only two where all are alike.

    Raises:
        ValueError: If one of them is no JSON.
    """
    alike = _alike(events)
    if alike is not None:
        yield from alike
        return
    for event in events.split(END):
        if (said := content(event)) and not said.startswith(COMMENT):
            yield orjson.loads(said)


def _alike(events: bytes) -> list[dict[str, Any]] | None:
    """The first event's chunk, and one with the texts of all others; None unless all are alike."""
    opened = events.find(OPENING) + len(OPENING)
    if opened < len(OPENING):
        return None
    # Inside a text the quotes would be escaped, so it cannot hold this.
    before, *rests = events.split(events[:opened])
    found = [REST.fullmatch(rest) for rest in rests]
    if before or not all(found):
        return None
    texts, token_ids = zip(*(match.groups(b"") for match in found if match), strict=True)
    try:
        first = orjson.loads(content(events[: opened + len(rests[0])]))
        (only,) = first["choices"]
        choice = {
            "index": only["index"],
            "delta": {"content": orjson.loads(b'"' + b"".join(texts[1:]) + b'"')},
            "token_ids": orjson.loads(b"[" + b",".join(filter(None, token_ids[1:])) + b"]"),
        }
    except (ValueError, LookupError, TypeError):
        return None
    return [first, {"choices": [choice]}]
