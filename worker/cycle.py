"""One sleep cycle: the straight line from traces to an adapter that answers.

Each stage takes and returns frozen values and writes its own rows; this is the only place that
knows the order. A cycle that dies goes on behind its last finished stage.
"""

import logging
from uuid import UUID

from sqlalchemy.exc import OperationalError

from shared.contracts.cycles import CycleStatus, Lease, Stage
from shared.errors import (
    CycleCancelledError,
    CycleExhaustedError,
    DormouseError,
    LeaseLostError,
    WorkerStoppingError,
)
from shared.storage.cycles import SleepCycleStore
from shared.storage.models import ModelStore
from worker.collect import collect
from worker.context import Context
from worker.control import CycleControl
from worker.dream.stage import dream
from worker.gate.stage import gate
from worker.release import release
from worker.resolve.stage import resolve
from worker.results import Collected, Dreamt, Gated, Resolved, Seeded, Trained, Triaged
from worker.seed.stage import seed
from worker.take_out import take_out
from worker.train import train
from worker.triage.stage import triage
from worker.wake import promote_or_reject, propose, skip

log = logging.getLogger(__name__)


async def run_cycle(context: Context, cycle_id: UUID) -> None:
    """Run or resume a cycle if it is free; do nothing if another worker holds it."""
    async with context.sessions.begin() as session:
        lease = await SleepCycleStore(session).lease(cycle_id, context.settings.lease_s)
    if lease is None:
        return
    control = CycleControl(context, lease)
    with control.stops_on_sigterm():
        try:
            _check_attempts(context, lease)
            status = await _stages(context, control)
            log.info("cycle %s: %s", cycle_id, status)
        except LeaseLostError as error:
            log.warning("%s", error)
        except WorkerStoppingError:
            log.info("cycle %s waits for the next worker", cycle_id)
            await _give_back(context, lease)
        except CycleCancelledError:
            await release(context, lease, "cancelled", None)
        except OperationalError as error:
            # Nothing can be written now; the lease runs out and the cycle is resumed.
            log.warning("cycle %s stops, the database is away: %s", cycle_id, error)
        except Exception as error:
            log.exception("cycle %s failed in %s", cycle_id, control.stage)
            await release(context, lease, "failed", f"{control.stage}: {_first_line(error)}")


async def _stages(context: Context, control: CycleControl) -> CycleStatus:
    lease = control.lease
    async with context.sessions.begin() as session:
        awake = await ModelStore(session).route_of(lease.model_id)

    collected = await control.run(
        Stage.COLLECT, Collected, lambda: collect(context, control, awake)
    )
    await control.run(Stage.TRIAGE, Triaged, lambda: triage(context, control))
    resolved = await control.run(Stage.RESOLVE, Resolved, lambda: resolve(context, control))
    if lease.stop_after == Stage.RESOLVE:
        return await propose(context, lease, resolved)
    if not resolved.to_learn:
        return await skip(context, lease, collected, resolved)
    seeded = await control.run(Stage.SEED, Seeded, lambda: seed(context, control, awake, resolved))
    if not seeded.teaches(resolved):
        return await skip(context, lease, collected, resolved, seeded)
    await control.run(Stage.DREAM, Dreamt, lambda: dream(context, control, awake))
    trained = await control.run(
        Stage.TRAIN, Trained, lambda: train(context, control, awake, resolved, seeded)
    )
    gated = await control.run(
        Stage.GATE, Gated, lambda: gate(context, control, awake, trained, resolved)
    )
    rest = resolved.without(gated.take_out)
    if gated.take_out and seeded.teaches(rest):
        refused, resolved = trained, rest
        await take_out(context, control, refused, rest, gated)
        trained = await control.run(
            Stage.RETRAIN,
            Trained,
            lambda: train(context, control, awake, rest, seeded, refused),
        )
        gated = await control.run(
            Stage.REGATE,
            Gated,
            lambda: gate(context, control, awake, trained, rest, without=gated.take_out),
        )
    control.stage = Stage.WAKE
    await control.report(0.0, force=True)
    return await promote_or_reject(context, lease, collected, trained, resolved, seeded, gated)


def _check_attempts(context: Context, lease: Lease) -> None:
    """A cycle that takes its worker down each time must end some day.

    Raises:
        CycleExhaustedError: If it was begun too often.
    """
    if lease.attempts > context.settings.max_cycle_attempts:
        raise CycleExhaustedError(
            f"The cycle was begun {lease.attempts - 1} times and its worker ended each time. See "
            "the worker's log, then start a new cycle; DORMOUSE_MAX_CYCLE_ATTEMPTS sets the limit."
        )


async def _give_back(context: Context, lease: Lease) -> None:
    async with context.sessions.begin() as session:
        await SleepCycleStore(session).give_back(lease)


def _first_line(error: Exception) -> str:
    """What went wrong, without the pages that some libraries add; the log has those."""
    if isinstance(error, DormouseError):
        return error.message
    return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:500]
