"""What a chat holds is given back once, by whoever has it last."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from api.chat.admission import Admission
from api.chat.held import Held
from api.chat.stream import ChatStream
from api.engines import Generation
from shared.settings import Settings


class BrokenGeneration:
    """Its connection cannot be given back."""

    def close(self) -> None:
        raise OSError("the connection is gone")


async def test_a_turn_is_given_back_once_and_by_who_has_it_last(settings: Settings) -> None:
    admission = Admission(settings.model_copy(update={"max_running_chats": 1}))
    held = Held(admission, "key")
    assert not await held.enter()
    last = held.handed_on()
    held.close()
    assert admission._running["key"] == 1
    last.close()
    last.close()
    assert admission._running["key"] == 0


async def test_a_turn_is_given_back_although_the_generation_cannot_be(settings: Settings) -> None:
    admission = Admission(settings)
    held = Held(admission, "key")
    await held.enter()
    held.generation = cast(Generation, BrokenGeneration())
    with pytest.raises(OSError, match="gone"):
        held.close()
    assert admission._running["key"] == 0


async def test_a_stream_that_cannot_begin_has_not_taken_the_turn_over(settings: Settings) -> None:
    admission = Admission(settings)
    held = Held(admission, "key")
    await held.enter()
    asked = SimpleNamespace(relay=lambda name: None)
    # No header can say that.
    exchange: Any = SimpleNamespace(
        asked=asked, route=SimpleNamespace(engine_name="m"), headers={"X-Dormouse-Session": "чат"}
    )
    nothing: Any = None
    with pytest.raises(UnicodeEncodeError):
        ChatStream(exchange, nothing, held, nothing)
    held.close()
    assert admission._running["key"] == 0
