"""The clients that developers have: each API through real vLLM, recorded as a conversation."""

from typing import Any

import anthropic
import openai
import pytest

from tests.real import Visitor

HELLO = "What is the capital of France?"
SECOND = "Say it again."


def recorded(visitor: Visitor, trace_id: str) -> dict[str, Any]:
    """A trace."""
    trace: dict[str, Any] = visitor.admin("GET", f"/traces/{trace_id}")["trace"]
    return trace


@pytest.fixture
def client(visitor: Visitor) -> Any:
    with openai.OpenAI(base_url=f"{visitor.stack.url}/v1", api_key=visitor.stack.api_key) as client:
        yield client


def test_openai_responses_whole_streamed_and_continued(visitor: Visitor, client: Any) -> None:
    asked: Any = {"model": "default", "max_output_tokens": 12, "temperature": 0}
    whole = client.responses.create(input=HELLO, instructions="Be brief.", **asked)
    assert "Paris" in whole.output_text
    assert (whole.model, whole.instructions) == ("default", "Be brief.")

    events = list(client.responses.create(input=HELLO, stream=True, **asked))
    assert events[0].type == "response.created"
    last = events[-1]
    assert last.type in ("response.completed", "response.incomplete")
    said = "".join(e.delta for e in events if e.type == "response.output_text.delta")
    assert said == last.response.output_text

    second = client.responses.create(input=SECOND, previous_response_id=whole.id, **asked)
    trace = recorded(visitor, second.id.removeprefix("resp_"))
    assert [m["content"] for m in trace["request"]["messages"]] == [
        HELLO,
        whole.output_text,
        SECOND,
    ]
    assert trace["parent_id"] == recorded(visitor, whole.id.removeprefix("resp_"))["id"]
    assert trace["reply"]["choices"][0]["message"]["content"] == second.output_text
    with pytest.raises(openai.NotFoundError):
        client.responses.create(input=SECOND, previous_response_id="resp_1", **asked)


def test_openai_completions_whole_and_streamed(visitor: Visitor, client: Any) -> None:
    asked: Any = {"model": "default", "max_tokens": 6, "temperature": 0}
    prompt = "The capital of France is"
    whole = client.completions.with_raw_response.create(prompt=prompt, **asked)
    text = whole.parse().choices[0].text
    assert "Paris" in text
    chunks = list(client.completions.create(prompt=prompt, stream=True, **asked))
    assert "".join(chunk.choices[0].text for chunk in chunks) == text
    assert {chunk.model for chunk in chunks} == {"default"}
    both = client.completions.create(
        model="default", prompt=[prompt, "One, two,"], n=2, max_tokens=2, temperature=1
    )
    assert len(both.choices) == 4
    trace = recorded(visitor, whole.headers["X-Dormouse-Trace"])
    assert trace["request"]["prompt"] == prompt
    assert trace["reply"]["choices"][0]["message"]["content"] == text
    assert not trace["store"]


def test_anthropics_client_chats_streams_counts_and_is_refused(visitor: Visitor) -> None:
    greedy = {"temperature": 0}
    asked: Any = {"model": "default", "max_tokens": 12, "extra_body": greedy}
    hello: Any = [{"role": "user", "content": HELLO}]
    with anthropic.Anthropic(base_url=visitor.stack.url, api_key=visitor.stack.api_key) as client:
        raw = client.messages.with_raw_response.create(messages=hello, system="Be brief.", **asked)
        whole = raw.parse()
        text = whole.content[0].text
        assert "Paris" in text
        assert whole.model == "default"
        followed = client.messages.with_raw_response.create(
            messages=[
                *hello,
                {"role": "assistant", "content": [{"type": "text", "text": text}]},
                {"role": "user", "content": SECOND},
            ],
            system="Be brief.",
            **asked,
        )
        with client.messages.stream(messages=hello, system="Be brief.", **asked) as stream:
            assert "".join(stream.text_stream) == text
            assert stream.get_final_message().usage.output_tokens > 0
        assert client.messages.count_tokens(model="default", messages=hello).input_tokens > 5

        first, second = (
            recorded(visitor, reply.headers["X-Dormouse-Trace"]) for reply in (raw, followed)
        )
        assert [m["content"] for m in first["request"]["messages"]] == ["Be brief.", HELLO]
        assert first["reply"]["choices"][0]["message"]["content"] == text
        assert first["usage"]["completion_tokens"] > 0
        assert second["session_id"] == first["session_id"]

        with pytest.raises(anthropic.NotFoundError):
            client.messages.create(messages=hello, model="claude-9", max_tokens=3)
        with pytest.raises(anthropic.BadRequestError) as bad:
            client.messages.create(messages=hello, **{**asked, "extra_body": {"temperature": -1}})
        assert bad.value.body["type"] == "error"  # type: ignore[index]
    with (
        anthropic.Anthropic(base_url=visitor.stack.url, api_key="wrong") as stranger,
        pytest.raises(anthropic.AuthenticationError),
    ):
        stranger.messages.create(messages=hello, **asked)


def test_an_image_is_refused_by_a_model_that_sees_none(visitor: Visitor, client: Any) -> None:
    pixel = "data:image/png;base64,iVBORw0KGgo="
    parts: Any = [{"type": "text", "text": "What is this?"}]
    parts.append({"type": "image_url", "image_url": {"url": pixel}})
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(
            model="default", messages=[{"role": "user", "content": parts}], max_tokens=3
        )
    assert "image" in refused.value.message or "multimodal" in refused.value.message
