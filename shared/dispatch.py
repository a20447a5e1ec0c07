"""Send what the outbox holds: at once after a commit, and again by beat until the queue took it."""

import asyncio
import logging

from shared.db.session import Sessions
from shared.errors import QueueError
from shared.queue.wakeups import Queue
from shared.storage.outbox import OutboxStore

log = logging.getLogger(__name__)


async def flush_outbox(sessions: Sessions, queue: Queue) -> int:
    """Send the waiting messages.

    Returns:
        How many were sent. A queue that is away costs nothing but time.
    """
    async with sessions.begin() as session:
        outbox = OutboxStore(session)
        messages = await outbox.unsent()
        for num_sent, (message_id, task, payload) in enumerate(messages):
            try:
                await asyncio.to_thread(queue.send, task, payload)
            except QueueError as error:
                log.warning("%s Wake-ups wait in the outbox.", error)
                return num_sent
            await outbox.mark_sent(message_id)
    return len(messages)
