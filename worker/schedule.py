"""When to sleep by oneself: a cron line, or an idle window, and enough to sleep on."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cronsim import CronSim, CronSimError

from shared.settings import Settings

# A night that could not begin in time, as no worker was there, is not caught up with by day.
CATCH_UP = timedelta(hours=2)


@dataclass(frozen=True)
class Situation:
    """What the decision rests on; times are UTC. Traces, documents and lessons are queued."""

    now: datetime
    num_queued: int
    last_chat_at: datetime | None
    last_document_at: datetime | None
    last_cycle_at: datetime | None
    last_scheduled_at: datetime | None


@dataclass(frozen=True)
class Due:
    """A cycle that should start now, and why."""

    trigger: str
    reason: str


def check_cron(line: str | None) -> None:
    """Look at a cron line before the night.

    Raises:
        ValueError: If it cannot be read, or names no time that ever comes.
    """
    if line is None:
        return
    try:
        next(CronSim(line, datetime.now(UTC)))
    except (CronSimError, StopIteration) as error:
        raise ValueError(
            f"DORMOUSE_SLEEP_CRON={line!r} is no cron line that ever comes due; five fields are "
            'minute, hour, day, month and weekday in UTC: "0 3 * * *" is every night at three.'
        ) from error


def why_now(settings: Settings, situation: Situation) -> Due | None:
    """Decide whether a cycle is due. The cron line is one that `check_cron` let pass."""
    if situation.num_queued < max(settings.sleep_min_traces, 1):
        return None
    if cron_fired(settings.sleep_cron, situation.now, situation.last_scheduled_at):
        return Due("schedule", f"the cron line {settings.sleep_cron!r} fired")
    if settings.sleep_idle_s is not None and _idle(settings.sleep_idle_s, situation):
        return Due("idle", f"no chat for {settings.sleep_idle_s:g} s")
    return None


def cron_fired(line: str | None, now: datetime, last_scheduled_at: datetime | None) -> bool:
    """True if the line's latest time has no scheduled cycle behind it.

    Only the last two hours count, and before the first scheduled cycle only the last minute: a
    fresh installation waits for its first night.
    """
    if line is None:
        return False
    since = max(last_scheduled_at or now - timedelta(minutes=1), now - CATCH_UP)
    return next(CronSim(line, since)) <= now


def _idle(idle_s: float, situation: Situation) -> bool:
    """True if nobody came for long enough, and somebody did since the last cycle."""
    came = [at for at in (situation.last_chat_at, situation.last_document_at) if at is not None]
    if not came:
        return False
    if situation.last_cycle_at is not None and situation.last_cycle_at > max(came):
        return False
    return situation.now - max(came) >= timedelta(seconds=idle_s)
