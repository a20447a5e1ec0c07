"""What a chat holds until its reply has ended."""

from collections.abc import Hashable

from api.chat.admission import Admission
from api.engines import Generation


class Held:
    """A turn and, once it has begun, the engine's generation.

    Args:
        admission: Gives turns.
        key: Whose turn.
    """

    def __init__(self, admission: Admission, key: Hashable) -> None:
        self._admission = admission
        self._key = key
        self._has_turn = False
        self.generation: Generation | None = None

    async def enter(self) -> bool:
        """Take a turn; returns whether it had to be waited for.

        Raises:
            TooManyChatsError: As `Admission.enter` does.
        """
        had_to_wait = await self._admission.enter(self._key)
        self._has_turn = True
        return had_to_wait

    def handed_on(self) -> "Held":
        """The same for somebody else to close; here nothing is held any more."""
        other = Held(self._admission, self._key)
        other._has_turn, self._has_turn = self._has_turn, False
        other.generation, self.generation = self.generation, None
        return other

    def close(self) -> None:
        """Give everything back, once."""
        generation, self.generation = self.generation, None
        had_turn, self._has_turn = self._has_turn, False
        try:
            if generation is not None:
                generation.close()
        finally:
            if had_turn:
                self._admission.leave(self._key)
