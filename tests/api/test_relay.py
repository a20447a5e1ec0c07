"""A streamed reply on its way, cut wherever the network cuts it."""

import json
import random
from typing import Any

import pytest

from api.chat.dialects.openai import ChatRequest
from api.chat.reply import DONE
from shared.errors import EngineUnavailableError

INNER = "default-v3"
# Text that looks like what the relay takes out or waits for.
SAID = ['"model":"default-v3"', ',"token_ids":[1,2]', '"finish_reason":"stop"', "[DONE]\n\n", "é"]


def chat(**fields: Any) -> ChatRequest:
    return ChatRequest.model_validate(
        {"model": "default", "messages": [{"role": "user", "content": "Hi"}], **fields}
    )


def chunk(index: int, content: str, finish_reason: str | None = None) -> dict[str, Any]:
    choice = {
        "index": index,
        "delta": {"content": content},
        "finish_reason": finish_reason,
        "token_ids": [5, 6],
    }
    return {"id": "c", "created": 1, "model": INNER, "choices": [choice]}


def stream(*chunks: dict[str, Any], spaces: bool = False) -> bytes:
    separators = None if spaces else (",", ":")
    lines = [json.dumps(item, separators=separators, ensure_ascii=False) for item in chunks]
    return "".join(f"data: {line}\n\n" for line in [*lines, "[DONE]"]).encode()


def pieces_of(content: bytes, rng: random.Random) -> list[bytes]:
    cuts = sorted(rng.randrange(len(content)) for _ in range(rng.randrange(12)))
    return [content[a:b] for a, b in zip([0, *cuts], [*cuts, len(content)], strict=True)]


def parsed(shown: bytes) -> list[dict[str, Any]]:
    return [json.loads(text.removeprefix(b"data: ")) for text in shown.split(b"\n\n") if text]


@pytest.mark.parametrize("spaces", [False, True], ids=["compact", "with spaces"])
@pytest.mark.parametrize("seed", range(30))
def test_wherever_it_is_cut_the_client_gets_the_same_and_the_trace_all_of_it(
    seed: int, spaces: bool
) -> None:
    said = [chunk(index, text) for text in SAID for index in (0, 1)]
    usage = {**chunk(0, ""), "choices": [], "usage": {"total_tokens": 9}}
    ends = [chunk(0, "", "stop"), chunk(1, " more"), chunk(1, "", "length")]
    relay = chat(stream=True, n=2).relay(INNER)
    rng = random.Random(seed)
    shown = b"".join(
        relay.feed(piece) for piece in pieces_of(stream(*said, *ends, usage, spaces=spaces), rng)
    )
    assert relay.is_done
    seen = [*parsed(shown), *parsed(relay.held.removesuffix(DONE))]
    assert [item["choices"][0]["delta"]["content"] for item in seen] == [
        item["choices"][0]["delta"]["content"] for item in [*said, *ends]
    ]
    assert {item["model"] for item in seen} == {"default"}
    assert not any("token_ids" in item["choices"][0] for item in seen)
    # The last choice's end is not shown before the trace is written.
    assert [
        item["choices"][0]["finish_reason"] for item in parsed(relay.held.removesuffix(DONE))
    ] == ["length"]
    answered = relay.answered()
    recorded = answered.reply["choices"]
    assert recorded[0]["message"]["content"] == "".join(SAID)
    assert recorded[1]["message"]["content"] == "".join(SAID) + " more"
    assert answered.token_ids == [[5, 6] * 6, [5, 6] * 7]
    assert answered.usage == {"total_tokens": 9}


def test_a_line_break_too_many_is_no_event() -> None:
    relay = chat(stream=True).relay(INNER)
    said = [chunk(0, "a"), chunk(0, "b"), chunk(0, "", "stop")]
    pieces = [piece + b"\n\n\n" for piece in stream(*said).split(b"\n\n") if piece]
    shown = b"".join(relay.feed(piece) for piece in pieces)
    events = parsed(shown.replace(b"\n\n\n", b"\n\n"))
    assert [item["choices"][0]["delta"]["content"] for item in events] == ["a", "b"]
    assert relay.is_done
    assert relay.answered().reply["choices"][0]["message"]["content"] == "ab"


def test_usage_and_token_ids_are_shown_to_who_asked() -> None:
    asked = chat(stream=True, return_token_ids=True, stream_options={"include_usage": True})
    relay = asked.relay(INNER)
    usage = {**chunk(0, ""), "choices": [], "usage": {"total_tokens": 9}}
    shown = relay.feed(stream(chunk(0, "a"), chunk(0, "b"), chunk(0, "", "stop"), usage))
    assert all(item["choices"][0]["token_ids"] == [5, 6] for item in parsed(shown))
    assert parsed(relay.held.removesuffix(DONE))[-1]["usage"] == {"total_tokens": 9}


def test_what_follows_the_engines_done_is_not_shown_even_if_the_reply_never_ended() -> None:
    relay = chat(stream=True).relay(INNER)
    shown = relay.feed(stream(chunk(0, "a"), chunk(0, "b")) + stream(chunk(0, "c"), chunk(0, "d")))
    assert [item["choices"][0]["delta"]["content"] for item in parsed(shown)] == ["a", "b"]
    assert relay.is_done
    assert not relay.ended


def test_an_engine_that_fails_in_the_middle_is_an_error_and_what_came_is_kept() -> None:
    relay = chat(stream=True).relay(INNER)
    relay.feed(stream(chunk(0, "a")).removesuffix(b"data: [DONE]\n\n"))
    relay.feed(b'data: {"model":"default-v3","choices":[{"index":0,"delta":{"content":"b"}}]}\n\n')
    with pytest.raises(EngineUnavailableError, match="out of memory"):
        relay.feed(b'data: {"error":{"message":"out of memory"}}\n\n')
    assert relay.answered().reply["choices"][0]["message"]["content"] == "ab"
    assert not relay.ended


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_a_comment_that_keeps_the_connection_alive_costs_nothing(place: int) -> None:
    events = stream(chunk(0, "a"), chunk(0, "b"), chunk(0, "c"), chunk(0, "", "stop"))
    pieces = [piece + b"\n\n" for piece in events.split(b"\n\n") if piece]
    pieces.insert(place, b": ping\n\n")
    relay = chat(stream=True).relay(INNER)
    for piece in pieces:
        relay.feed(piece)
    assert relay.is_done
    assert relay.answered().reply["choices"][0]["message"]["content"] == "abc"


def test_what_came_before_an_event_that_cannot_be_read_is_kept() -> None:
    relay = chat(stream=True).relay(INNER)
    relay.feed(stream(chunk(0, "a"), chunk(0, "b")).removesuffix(b"data: [DONE]\n\n"))
    relay.feed(b"data: {oops}\n\n")
    with pytest.raises(ValueError, match="unexpected"):
        relay.answered()
    assert relay.answered().reply["choices"][0]["message"]["content"] == "ab"
