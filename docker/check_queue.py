"""Health check of worker and beat: they can reach the queue with the settings they were given.

Not `celery inspect ping`: a worker that is deep in a sleep cycle does not answer that.
"""

from shared.queue.wakeups import create_celery
from shared.settings import get_settings

with create_celery(get_settings()).connection_for_read() as connection:
    connection.ensure_connection(max_retries=1, timeout=5)
