"""How many chats may be on their way at once, and who is next.

A key has a share that it cannot exceed, so that one busy app does not take the engine from the
others. Who must wait waits in its key's line; keys take turns, however long their lines are.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import Hashable

from api.health import metrics
from shared.errors import TooManyChatsError
from shared.settings import Settings


class Admission:
    """Slots for chats of this process.

    Args:
        settings: How many at once, in all and for one key; how many of a key may wait, how long.
    """

    def __init__(self, settings: Settings) -> None:
        self._max_running = settings.max_running_chats
        self._max_running_per_key = settings.max_running_chats_per_key
        self._max_waiting_per_key = settings.max_waiting_chats_per_key
        self._wait_s = settings.chat_wait_s
        self._running: Counter[Hashable] = Counter()
        # The key whose turn is next comes first.
        self._lines: OrderedDict[Hashable, deque[asyncio.Future[None]]] = OrderedDict()

    async def enter(self, key: Hashable) -> bool:
        """Take a slot, which is given back by `leave`; wait for it if there is none.

        Returns:
            True if it had to wait.

        Raises:
            TooManyChatsError: If the key's line is full, or its turn did not come in time.
        """
        if self._has_room(key) and not self._lines.get(key):
            self._running[key] += 1
            return False
        line = self._lines.setdefault(key, deque())
        if len(line) >= self._max_waiting_per_key and not self._has_room(key):
            raise TooManyChatsError(
                f"This key has {self._running[key]} chats running and {len(line)} waiting. Try "
                "again shortly, or raise DORMOUSE_MAX_WAITING_CHATS_PER_KEY."
            )
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        line.append(turn)
        self._count()
        self._admit()
        try:
            async with asyncio.timeout(self._wait_s):
                await turn
        except BaseException as error:
            if turn.cancelled():
                line.remove(turn)
            else:
                # The slot came in the same moment: hand it on.
                self.leave(key)
            if isinstance(error, TimeoutError):
                raise TooManyChatsError(
                    f"No chat of this key ended within {self._wait_s:g} s. Try again shortly."
                ) from error
            raise
        finally:
            self._tidy(key)
        return True

    def _has_room(self, key: Hashable) -> bool:
        return (
            self._running.total() < self._max_running
            and self._running[key] < self._max_running_per_key
        )

    def leave(self, key: Hashable) -> None:
        """Give a slot back."""
        self._running[key] -= 1
        if self._lines:
            self._admit()
        self._tidy(key)

    def _admit(self) -> None:
        """Give free slots to those who wait, one of each key in turn."""
        while key := next(filter(self._may_go_on, self._lines), None):
            turn = next(turn for turn in self._lines[key] if not turn.done())
            self._lines[key].remove(turn)
            self._lines.move_to_end(key)
            self._running[key] += 1
            turn.set_result(None)

    def _may_go_on(self, key: Hashable) -> bool:
        return self._has_room(key) and not all(turn.done() for turn in self._lines[key])

    def _tidy(self, key: Hashable) -> None:
        """Forget a key that has nothing here any more."""
        if not self._running[key]:
            del self._running[key]
        if key in self._lines:
            if not self._lines[key]:
                del self._lines[key]
            self._count()

    def _count(self) -> None:
        metrics.WAITING.set(sum(map(len, self._lines.values())))
