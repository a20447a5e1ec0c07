"""Send wake-ups by task name, so that the sender needs none of the worker's code."""

from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError

from shared.errors import QueueError
from shared.settings import Settings

RUN_SLEEP_CYCLE = "dormouse.run_sleep_cycle"
TICK = "dormouse.tick"


def create_celery(settings: Settings) -> Celery:
    """The Celery application, on either side.

    Acknowledgement is early: the lease in PostgreSQL, not the broker, knows whether a cycle lives.
    """
    app = Celery("dormouse", broker=settings.redis_url.get_secret_value())
    app.conf.update(
        accept_content=["json"],
        task_serializer="json",
        task_ignore_result=True,
        task_acks_late=False,
        task_default_queue="dormouse",
        worker_disable_prefetch=True,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options={"socket_timeout": 5, "socket_connect_timeout": 5},
        task_publish_retry=False,
        timezone="UTC",
    )
    return app


class Queue:
    """The port to the broker.

    Args:
        celery: The application that knows the broker.
    """

    def __init__(self, celery: Celery) -> None:
        self._celery = celery

    def send(self, task: str, payload: dict[str, Any]) -> None:
        """Send one message; blocks.

        Raises:
            QueueError: If the broker does not take it.
        """
        try:
            self._celery.send_task(task, kwargs=payload)
        except (OperationalError, OSError) as error:
            raise QueueError(f"The queue does not answer: {error}") from error
