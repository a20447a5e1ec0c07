"""The Celery application: `celery -A worker.app worker --pool solo`, `celery -A worker.app beat`.

One process runs one thing at a time. A tick that finds no free worker expires: the next one does.
"""

from shared.queue.wakeups import TICK, create_celery
from shared.settings import get_settings
from worker.schedule import check_cron
from worker.trainer.job import Recipe

settings = get_settings()
# A typo must not wait for the night: the worker does not start with what it cannot use.
Recipe.model_validate(settings.train_recipe)
check_cron(settings.sleep_cron)
app = create_celery(settings)
app.conf.update(
    imports=["worker.tasks"],
    beat_schedule={
        "tick": {
            "task": TICK,
            "schedule": settings.beat_interval_s,
            "options": {"expires": settings.beat_interval_s},
        }
    },
    beat_max_loop_interval=settings.beat_interval_s,
)
