"""Chat, sleep, gate, swap and rollback through real vLLM, Celery, PostgreSQL and Valkey."""

import threading
from typing import Any

import openai
import pytest

from tests.e2e.conftest import LESSON, Night
from tests.real import Visitor

NEW_WORDS = "Do you happen to know who founded Harrowgate Mills?"
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "get_time",
        "description": "The time in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


def test_the_openai_client_chats_streams_lists_and_is_refused(visitor: Visitor) -> None:
    url = f"{visitor.stack.url}/v1"
    hello: list[Any] = [{"role": "user", "content": "What is the capital of France?"}]
    with openai.OpenAI(base_url=url, api_key=visitor.stack.api_key) as client:
        assert [model.id for model in client.models.list()] == ["default"]
        whole = client.chat.completions.create(
            model="default",
            messages=hello,
            temperature=0,
            max_tokens=16,
        )
        assert "Paris" in (whole.choices[0].message.content or "")
        assert whole.model == "default"
        stream = client.chat.completions.create(
            model="default",
            messages=hello,
            stream=True,
            stream_options={"include_usage": True},
            temperature=0,
            max_tokens=16,
        )
        chunks = list(stream)
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        assert text == whole.choices[0].message.content
        assert chunks[-1].usage is not None
        assert chunks[-1].usage.completion_tokens > 0
        both = client.chat.completions.create(
            model="default",
            messages=hello,
            n=2,
            tools=[TOOL],
            max_tokens=8,
        )
        assert len(both.choices) == 2
        with pytest.raises(openai.NotFoundError):
            client.chat.completions.create(model="gpt-9", messages=hello)
        with pytest.raises(openai.BadRequestError) as bad:
            client.chat.completions.create(model="default", messages=hello, temperature=-1)
        assert "temperature" in bad.value.message
    with (
        openai.OpenAI(base_url=url, api_key="wrong") as stranger,
        pytest.raises(openai.AuthenticationError),
    ):
        stranger.models.list()


def test_the_engines_scheduler_and_model_are_one_process(visitor: Visitor) -> None:
    # Two of them share the cores badly (decision 0037).
    log = (visitor.stack.home.logs / "engine.log").read_text()

    assert "(EngineCore pid=" in log
    assert "Worker pid=" not in log


@pytest.mark.timeout(4000)
def test_a_night_teaches_a_lesson_that_holds_in_new_words_and_nobody_notices_the_swap(
    visitor: Visitor, night: Night
) -> None:
    failures: list[str] = []
    stop = threading.Event()

    def keep_asking() -> None:
        while not stop.wait(3.0):
            reply = visitor.chat("Hello!", max_tokens=4, store=False)
            if reply.status_code != 200:
                failures.append(reply.text)

    asking = threading.Thread(target=keep_asking)
    asking.start()
    try:
        cycle = night.promoted()
        assert "Ottilie Brandt" in visitor.ask(NEW_WORDS)
        moved = visitor.admin("POST", "/rollback")
        went = {"taken_back": 1, "restored": 0}
        assert moved == {"active": "base", "previous": cycle["adapter"], **went}
        assert "Ottilie Brandt" not in visitor.ask(NEW_WORDS)
        visitor.admin("POST", "/rollback", json={"to": cycle["adapter"]})
        assert "Ottilie Brandt" in visitor.ask(NEW_WORDS)
    finally:
        stop.set()
        asking.join()
    assert failures == []


def test_what_was_learned_can_be_walked_both_ways(visitor: Visitor, night: Night) -> None:
    cycle = night.promoted()
    adapter = visitor.admin("GET", f"/adapters/{cycle['adapter']}")
    assert adapter["cycle_id"] == cycle["id"]
    assert adapter["gate"]["passed"]
    assert {suite["name"] for suite in adapter["gate"]["suites"]} >= {
        "acquisition",
        "retention",
        "capability",
        "alignment",
        "declined",
        "locality",
        "collapse",
    }
    memory = visitor.admin("GET", f"/memories/{adapter['memories'][0]}")
    assert memory["value"] == "Ottilie Brandt"
    assert memory["state"] == "learned"
    assert memory["reason"]
    assert memory["evidence"][0]["quote"] == LESSON


def test_a_night_without_lessons_is_skipped(visitor: Visitor, night: Night) -> None:
    night.promoted()
    visitor.chat("Tell me something about the moon.")
    assert visitor.until_ended(visitor.start_cycle())["status"] == "skipped"
