"""What a chat holds is given back once, by whoever has it last."""

from typing import cast

import pytest

from api.chat.admission import Admission
from api.chat.held import Held
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
