"""Anthropic's messages and OpenAI's responses: what the engine, the client and the trace get."""

import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from api.chat.dialects.anthropic import MessagesRequest
from api.chat.dialects.base import Asked, Limits, for_engine, parse
from api.chat.dialects.openai import ChatRequest, CompletionRequest
from api.chat.dialects.responses import ResponsesRequest
from api.chat.request import thread_sha256
from shared.contracts.base import new_id
from shared.contracts.memories import Memory
from shared.errors import BadRequestError, EngineUnavailableError, NotFoundError

INNER = "default-v3"
LIMITS = Limits(max_choices=4, max_tokens=100)
CALL = {
    "id": "call-1",
    "type": "function",
    "function": {"name": "get_time", "arguments": '{"city":"Oslo"}'},
}
CUSTOM = {"type": "custom_tool_call", "call_id": "call-2", "name": "note", "input": "Oslo"}
TOOL_TURNS: list[dict[str, Any]] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "What time is it in Oslo?"},
    {"role": "assistant", "content": "I look.", "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call-1", "content": "12:30"},
]
MESSAGES: dict[str, Any] = {
    "model": "default",
    "max_tokens": 50,
    "system": [{"type": "text", "text": "Be brief."}],
    "messages": [
        {"role": "user", "content": "What time is it in Oslo?"},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "call-1", "name": "get_time", "input": {"city": "Oslo"}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "call-1",
                    "content": [{"type": "text", "text": "12:30"}],
                }
            ],
        },
    ],
}
RESPONSES: dict[str, Any] = {
    "model": "default",
    "instructions": "Be brief.",
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "What time is it in Oslo?"}]},
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "I look."}],
        },
        {
            "type": "function_call",
            "call_id": "call-1",
            "name": "get_time",
            "arguments": '{"city":"Oslo"}',
        },
        {"type": "function_call_output", "call_id": "call-1", "output": "12:30"},
    ],
}


def memory(answer: str) -> Memory:
    return Memory(
        id=new_id(),
        model_id=new_id(),
        cycle_id=new_id(),
        kind="fact",
        persistence="long_term",
        state="pending",
        subject="",
        relation="colour",
        question="?",
        answer=answer,
        value=answer,
        reason="said",
        created_at=datetime.now(UTC),
    )


def asked_as(body: dict[str, Any], kind: type[Asked]) -> Asked:
    return parse(kind, body, LIMITS)


def test_a_message_of_anthropics_is_recorded_as_a_chat_with_its_tools() -> None:
    asked = asked_as(MESSAGES, MessagesRequest)
    recorded = asked.recorded(MESSAGES)
    assert recorded["messages"] == TOOL_TURNS
    assert recorded["max_tokens"] == 50
    assert "model" not in recorded
    assert "system" not in recorded


def test_blocks_and_items_of_odd_shapes_are_the_engines_to_refuse() -> None:
    odd: list[Any] = [{}, {"type": 5}, {"type": "text", "text": 5}, {"type": "tool_use"}]
    odd += [{"type": "tool_result", "content": 5}, {"type": "function_call", "arguments": {}}]
    odd += [{"type": "message", "role": "assistant", "content": [1]}, {"role": 5, "content": None}]
    for role in ("user", "assistant", "system"):
        body = {**MESSAGES, "system": odd, "messages": [{"role": role, "content": odd}]}
        asked = asked_as(body, MessagesRequest)
        json.dumps([asked.recorded(body), thread_sha256(asked.conversation(body))])
    body = {**RESPONSES, "input": odd}
    asked = asked_as(body, ResponsesRequest)
    json.dumps([asked.recorded(body), thread_sha256(asked.conversation(body))])


def test_what_a_call_holds_instead_of_texts_is_recorded_as_json() -> None:
    call = {"type": "function_call", "call_id": [1], "name": {"a": 2}, "arguments": {"b": [3]}}
    custom = {"type": "custom_tool_call", "call_id": None, "name": "note", "input": [4]}
    body = {**RESPONSES, "input": [call, custom]}
    (_, said) = asked_as(body, ResponsesRequest).conversation(body)
    assert said["tool_calls"] == [
        {
            "id": "[1]",
            "type": "function",
            "function": {"name": '{"a":2}', "arguments": '{"b":[3]}'},
        },
        {"id": "", "type": "custom", "custom": {"name": "note", "input": "[4]"}},
    ]


def test_a_response_is_recorded_as_a_chat_with_its_tools() -> None:
    messages = asked_as(RESPONSES, ResponsesRequest).conversation(RESPONSES)
    asked = [{"type": "text", "text": "What time is it in Oslo?"}]
    assert messages == [TOOL_TURNS[0], {"role": "user", "content": asked}, *TOOL_TURNS[2:]]


def test_what_a_response_says_and_calls_is_the_same_turn_when_it_comes_back() -> None:
    asked = asked_as({**RESPONSES, "input": RESPONSES["input"][:1]}, ResponsesRequest)
    output = [*RESPONSES["input"][1:3], {"type": "reasoning"}, CUSTOM]
    said = asked.answered({"id": "r", "output": output, "status": "completed"}).reply
    message = said["choices"][0]["message"]
    assert [call["type"] for call in message["tool_calls"]] == ["function", "custom"]
    again = asked_as({**RESPONSES, "input": [RESPONSES["input"][0], *output]}, ResponsesRequest)
    hashed = thread_sha256([*asked.conversation({}), message])
    assert hashed == thread_sha256(again.conversation({}))


def test_a_header_that_differs_in_each_request_is_no_part_of_a_conversation() -> None:
    header = {"type": "text", "text": "x-anthropic-billing-header: cch=1234"}
    turns = [{"role": "system", "content": [header]}, *MESSAGES["messages"]]
    body = {**MESSAGES, "system": [header, *MESSAGES["system"]], "messages": turns}
    assert asked_as(body, MessagesRequest).conversation(body) == TOOL_TURNS


def test_what_is_no_conversation_cannot_be_made_one() -> None:
    body = {"model": "default", "prompt": "a", "messages": 5, "api": "v1/chat/completions"}
    recorded = asked_as(body, CompletionRequest).recorded(body)
    assert recorded == {"prompt": "a", "api": "v1/completions"}
    lied = {**MESSAGES, "api": "v1/completions"}
    assert asked_as(lied, MessagesRequest).recorded(lied)["api"] == "v1/messages"


def test_a_raw_completion_has_its_own_limit_and_its_echo() -> None:
    body: dict[str, Any] = {"model": "default", "prompt": "a", "max_tokens": None}
    asked = asked_as(body, CompletionRequest)
    assert for_engine(asked, body, INNER, [], Limits(4))["max_tokens"] == 16
    assert for_engine(asked, body, INNER, [], Limits(4, 9))["max_tokens"] == 9
    assert for_engine(asked, body, INNER, [], Limits(4))["return_token_ids"]
    echoed = {**body, "echo": True}
    sent = for_engine(asked_as(echoed, CompletionRequest), echoed, INNER, [], Limits(4))
    assert not sent["return_token_ids"]


def test_what_would_show_the_reminders_is_not_passed() -> None:
    body = {**RESPONSES, "enable_response_messages": True}
    sent = for_engine(asked_as(body, ResponsesRequest), body, INNER, [], LIMITS)
    assert "enable_response_messages" not in sent


def test_a_tool_call_in_a_reply_and_in_the_next_request_are_one_thread() -> None:
    asked = asked_as({**MESSAGES, "messages": MESSAGES["messages"][:1]}, MessagesRequest)
    blocks = MESSAGES["messages"][1]["content"]
    reply = asked.answered({"id": "m", "content": blocks, "stop_reason": "tool_use"}).reply
    said = reply["choices"][0]["message"]
    assert reply["choices"][0]["finish_reason"] == "tool_calls"
    assert thread_sha256([*asked.conversation(MESSAGES), said]) == thread_sha256(TOOL_TURNS[:3])


@pytest.mark.parametrize(
    ("body", "kind", "field"),
    [(MESSAGES, MessagesRequest, "system"), (RESPONSES, ResponsesRequest, "instructions")],
)
def test_the_model_is_reminded_behind_the_clients_own_words(
    body: dict[str, Any], kind: type[Asked], field: str
) -> None:
    asked = asked_as(body, kind)
    sent = for_engine(asked, body, INNER, [memory("The vans are blue.")], LIMITS)
    assert "The vans are blue." in json.dumps(sent[field])
    assert "Be brief." in json.dumps(sent[field])
    without = {key: value for key, value in body.items() if key != field}
    alone = for_engine(asked_as(without, kind), without, INNER, [memory("Blue.")], LIMITS)
    assert "Blue." in alone[field]


def test_a_response_shows_the_clients_own_instructions() -> None:
    asked = asked_as(RESPONSES, ResponsesRequest)
    sent = for_engine(asked, RESPONSES, INNER, [memory("The vans are blue.")], LIMITS)
    shown = asked.shown({"model": INNER, "instructions": sent["instructions"]})
    assert (shown["model"], shown["instructions"]) == ("default", "Be brief.")


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (MESSAGES, MessagesRequest),
        (RESPONSES, ResponsesRequest),
        ({"model": "default", "prompt": "One, two"}, CompletionRequest),
        ({"model": "default", "messages": TOOL_TURNS}, ChatRequest),
    ],
)
def test_what_is_ours_alone_is_not_passed_and_length_is_limited(
    body: dict[str, Any], kind: type[Asked]
) -> None:
    ours = {"priority": -5, "cache_salt": "x", "request_id": "r", "kv_transfer_params": {"a": 1}}
    given = {**body, **ours, "custom": 1}
    sent = for_engine(asked_as(given, kind), given, INNER, [], LIMITS)
    assert sent["model"] == INNER
    assert sent["custom"] == 1
    assert not set(ours) & set(sent)
    assert sent[kind.limited[0]] <= 100
    for name in kind.limited:
        with pytest.raises(BadRequestError, match=f"{name}: at most 100"):
            asked_as({**body, name: 101}, kind)


def test_a_response_goes_on_from_another_without_its_instructions() -> None:
    body = {"model": "default", "input": "And in Rome?", "previous_response_id": "resp_" + "a" * 32}
    asked = asked_as(body, ResponsesRequest)
    assert asked.continues is not None
    asked.follow([*TOOL_TURNS, {"role": "assistant", "content": "Half past twelve."}])
    sent = for_engine(asked, body, INNER, [], LIMITS)
    assert "previous_response_id" not in sent
    assert [item.get("type") for item in sent["input"]] == [
        "message",
        "message",
        "function_call",
        "function_call_output",
        "message",
        None,
    ]
    assert sent["input"][-1] == {"role": "user", "content": "And in Rome?"}
    assert asked.conversation(body)[-1] == sent["input"][-1]
    assert asked.shown({})["previous_response_id"] == body["previous_response_id"]
    with pytest.raises(NotFoundError):
        _ = asked_as({**body, "previous_response_id": "resp_1"}, ResponsesRequest).continues


def test_work_in_the_background_is_refused() -> None:
    body = {**RESPONSES, "background": True}
    with pytest.raises(BadRequestError, match="background"):
        for_engine(asked_as(body, ResponsesRequest), body, INNER, [], LIMITS)


def test_choices_are_counted_over_all_prompts() -> None:
    for prompt, num_choices in (("a", 2), ([1, 2, 3], 2), (["a", "b"], 4), ([[1], [2]], 4)):
        body = {"model": "default", "prompt": prompt, "n": 2}
        assert asked_as(body, CompletionRequest).num_choices == num_choices
    with pytest.raises(BadRequestError, match="at most 4"):
        asked_as({"model": "default", "prompt": ["a", "b", "c"], "n": 2}, CompletionRequest)


SAID = ["Half", ' past "model":"default-v3"', " twelve\n\nevent: error", "é"]
ANTHROPIC_EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"id": "m", "model": INNER, "usage": {"input_tokens": 5}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    *(
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
        for text in SAID
    ),
    {"type": "content_block_stop", "index": 0},
    {
        "type": "content_block_start",
        "index": 1,
        "content_block": {"type": "tool_use", "id": "call-1", "name": "get_time", "input": {}},
    },
    *(
        {
            "type": "content_block_delta",
            "index": 1,
            "delta": {"type": "input_json_delta", "partial_json": text},
        }
        for text in ('{"city"', ': "Oslo"}')
    ),
    {"type": "content_block_stop", "index": 1},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "tool_use"},
        "usage": {"output_tokens": 7},
    },
    {"type": "message_stop"},
]
RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "model": INNER,
    "status": "completed",
    "instructions": "Be brief.\n\nKeep in mind: x",
    "output": [
        {"type": "message", "content": [{"type": "output_text", "text": "".join(SAID)}]},
        {"type": "function_call", **RESPONSES["input"][2]},
    ],
    "usage": {"input_tokens": 5, "output_tokens": 7},
}
RESPONSE["output"][0]["role"] = "assistant"
RESPONSE_EVENTS: list[dict[str, Any]] = [
    {"type": "response.created", "response": {**RESPONSE, "output": [], "status": "in_progress"}},
    *({"type": "response.output_text.delta", "delta": text} for text in SAID),
    {"type": "response.completed", "response": RESPONSE},
]
STREAMS = [
    pytest.param(MESSAGES, MessagesRequest, ANTHROPIC_EVENTS, 2, id="anthropic"),
    pytest.param(RESPONSES, ResponsesRequest, RESPONSE_EVENTS, 1, id="responses"),
]


def written(events: list[dict[str, Any]]) -> bytes:
    parts = [f"event: {item['type']}\ndata: {json.dumps(item)}\n\n" for item in events]
    return ": comment\n\n".join(parts).encode()


def read(content: bytes) -> list[dict[str, Any]]:
    texts = [text for text in content.split(b"\n\n") if text]
    named = [text.removeprefix(b"event: ").split(b"\ndata: ", 1) for text in texts]
    found = [json.loads(data) for _, data in named]
    assert [name.decode() for name, _ in named] == [item["type"] for item in found]
    return found


@pytest.mark.parametrize(("body", "kind", "events", "num_held"), STREAMS)
@pytest.mark.parametrize("seed", range(10))
def test_wherever_a_stream_is_cut_its_end_waits_for_its_trace(
    body: dict[str, Any], kind: type[Asked], events: list[Any], num_held: int, seed: int
) -> None:
    relay = asked_as(body, kind).relay(INNER)
    content = written(events)
    rng = random.Random(seed)
    cuts = sorted(rng.randrange(len(content)) for _ in range(rng.randrange(12)))
    pieces = [content[a:b] for a, b in zip([0, *cuts], [*cuts, len(content)], strict=True)]
    shown = read(b"".join(relay.feed(piece) for piece in pieces))
    assert relay.ended
    assert relay.is_done
    assert [item["type"] for item in shown] == [item["type"] for item in events[:-num_held]]
    assert [item["type"] for item in read(relay.held)] == [e["type"] for e in events[-num_held:]]
    started = next(v for k, v in shown[0].items() if k in ("message", "response"))
    assert started["model"] == "default"
    answered = relay.answered()
    assert answered.reply["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "".join(SAID), "tool_calls": [CALL]},
            "finish_reason": "tool_calls",
        }
    ]
    assert answered.usage == {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}


@pytest.mark.parametrize(("body", "kind", "events", "num_held"), STREAMS)
def test_what_came_before_a_failure_is_kept(
    body: dict[str, Any], kind: type[Asked], events: list[Any], num_held: int
) -> None:
    relay = asked_as(body, kind).relay(INNER)
    relay.feed(written(events[:5]))
    with pytest.raises(EngineUnavailableError, match="out of memory"):
        relay.feed(written([{"type": "error", "error": {"message": "out of memory"}}]))
    assert not relay.ended
    text = relay.answered().reply["choices"][0]["message"]["content"]
    assert text
    assert "".join(SAID).startswith(text)
