"""Many events read at once say what they say one by one."""

import json
import random
from typing import Any

import orjson
import pytest

from api.chat.plain import chunks
from api.chat.reply import StreamedReply

TEXTS = [
    "a",
    " word",
    "",
    '"',
    "\\",
    '\\"',
    "\n\n",
    "é",
    "\u2028",
    "😀",
    '"delta":{"content":"',
    "]}",
]


def event(text: str, *, ascii_only: bool = False, **fields: Any) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "logprobs": None, "finish_reason": None}
    chunk = {"id": "c", "created": 1, "model": "m", "choices": [{**choice, **fields}]}
    said = json.dumps(chunk, separators=(",", ":"), ensure_ascii=ascii_only)
    return f"data: {said}\n\n".encode()


def put_together(read: list[dict[str, Any]]) -> tuple[dict[str, Any], list[list[int]]]:
    reply = StreamedReply(1)
    for chunk in read:
        reply.feed(chunk)
    return reply.recorded(), reply.token_ids


def one_by_one(events: bytes) -> list[dict[str, Any]]:
    return [orjson.loads(line.removeprefix(b"data: ")) for line in events.split(b"\n\n") if line]


@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_alike_events_are_read_at_once_and_say_the_same(seed: int, ascii_only: bool) -> None:
    rng = random.Random(seed)
    events = b"".join(
        event(
            rng.choice(TEXTS), ascii_only=ascii_only, token_ids=rng.choice([None, [], [5], [6, 7]])
        )
        for _ in range(rng.randrange(1, 30))
    )
    read = list(chunks(events))
    assert len(read) == 2
    assert put_together(read) == put_together(one_by_one(events))


def test_a_character_in_two_halves_is_put_together() -> None:
    halves = (
        event("a") + event("X").replace(b"X", rb"\ud83d") + event("X").replace(b"X", rb"\ude00")
    )
    assert put_together(list(chunks(halves)))[0]["choices"][0]["message"]["content"] == "a😀"


@pytest.mark.parametrize(
    "other",
    [
        event("b", index=1),
        event("b", finish_reason="stop"),
        event("b", logprobs={"content": []}),
        event("b", stop_reason=3),
        event("b").replace(b'"content":"b"', b'"content":"b","tool_calls":[]'),
        event("b").replace(b"data: {", b'data: {"usage":{"total_tokens":9},'),
        event("b").replace(b"data: {", b"data:  {"),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_that_differs_is_read_like_all_others(other: bytes, place: int) -> None:
    events = [event("a", token_ids=[1]), event("c", token_ids=[2])]
    events.insert(place, other)
    read = list(chunks(b"".join(events)))
    assert len(read) == 3
    assert put_together(read) == put_together(one_by_one(b"".join(events)))


def test_what_is_no_event_is_an_error() -> None:
    with pytest.raises(ValueError, match="unexpected"):
        list(chunks(event("a") + b"data: {oops}\n\n"))
