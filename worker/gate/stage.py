"""Gate: the only way to a public name. Whatever goes wrong here is a rejection, with its reason."""

import asyncio
import logging
import math
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.exc import OperationalError

from shared.contracts.adapters import AdapterFile, Route
from shared.contracts.cycles import GateReport, SuiteResult
from shared.contracts.memories import Memory, SeedExample
from shared.engine.adapters import load_and_probe
from shared.errors import DormouseError, EngineUnavailableError, LeaseLostError
from shared.storage.adapters import AdapterStore
from shared.storage.erasure import ErasureStore
from shared.storage.examples import ExampleStore
from shared.storage.memories import MemoryStore
from worker.context import Context
from worker.control import CycleControl
from worker.gate.engine import GateEngine
from worker.gate.leaks import to_take_out
from worker.gate.neighbours import (
    NeighbourProbe,
    detail_probes,
    neighbour_probes,
    stranger_probes,
)
from worker.gate.probes import Probe, doubt_probes, general_probes, seed_probes
from worker.gate.screen import screen
from worker.gate.suites import Pair, Suites, num_answers
from worker.in_force import in_force_after
from worker.lessons.scoring import mentions_any
from worker.rehearsal import spread
from worker.results import Gated, Resolved, Trained

MIN_ACQUISITION_PROBES = 24
# Of fifty lessons and more, so many that one forgotten in twenty shows with 95% certainty: five
# losses are beyond chance (`statistics.sign_test`), and of 200 a twentieth is five or more then.
MAX_RETENTION_PROBES = 200

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Material:
    """What this cycle's gate asks besides the fixed suites."""

    new: list[Probe]
    replaced: list[Probe]
    old: list[Probe]
    erased: list[Probe]
    strangers: list[Probe]
    near: list[Probe]
    details: list[Probe]
    in_force: list[Memory]

    def __len__(self) -> int:
        leaks = (self.strangers, self.near, self.details)
        return sum(map(len, (self.new, self.replaced, self.old, self.erased, *leaks)))


async def gate(
    context: Context,
    control: CycleControl,
    awake: Route,
    trained: Trained,
    resolved: Resolved,
    without: Collection[UUID] = (),
) -> Gated:
    """Judge the candidate. What is decided is written when the cycle wakes: one verdict each.

    A new memory is learned if one of its wordings is answered right, and none of what it replaces
    gets the old value any more.

    Args:
        context: Database, engine and settings.
        control: The cycle.
        awake: Who answers now: the baseline.
        trained: The candidate.
        resolved: What it was taught.
        without: What was taken out since the first try, for the reason to name it.

    Raises:
        EngineUnavailableError: If the engine went away: the gate is tried again from its start.
        OperationalError: If the database went away: so it is, when the cycle is resumed.
        LeaseLostError: If another worker owns the cycle.
    """
    async with context.sessions.begin() as session:
        adapter = await AdapterStore(session).file(trained.adapter_id)
        examples = ExampleStore(session)
        new = await examples.seeds_of_cycle(control.lease.cycle_id, "heldout")
        old = await examples.learned(control.lease.model_id, "heldout")
        erased = await ErasureStore(session, control.lease.model_id).probes()
        in_force = await in_force_after(session, control.lease.model_id, resolved)
        memories = await MemoryStore(session).by_ids(resolved.to_learn)
        subjects = await MemoryStore(session).subjects(control.lease.model_id)
    rng = random.Random(control.lease.cycle_id.int)
    still_true = [seed for seed in old if seed.memory_id not in resolved.superseded]
    kept = spread(still_true, MAX_RETENTION_PROBES, rng)
    learned, take_out = [], []
    try:
        await asyncio.to_thread(screen, adapter)
        if awake.adapter is not None:
            # An engine that restarted a moment ago does not know it yet.
            await load_and_probe(context.engine, awake.adapter)
        await load_and_probe(context.engine, adapter)
        strangers = leak_probes(stranger_probes(memories, new, subjects))
        near = leak_probes(neighbour_probes(memories, new, subjects))
        asked = spread(new, max(MIN_ACQUISITION_PROBES, 2 * len(memories)), rng)
        replaced = replaced_probes(old, resolved, memories)
        gone = seed_probes(untaught(erased, in_force))
        material = Material(
            new=seed_probes(asked),
            replaced=replaced,
            old=seed_probes(kept),
            erased=gone,
            strangers=strangers,
            near=near,
            details=leak_probes(detail_probes(memories, new)),
            in_force=in_force,
        )
        suites, results = await _run_suites(context, control, awake, adapter, material)
        results = asked_enough(results, {"acquisition": 1, "retention": least_retention(in_force)})
        report = decide(results, without)
        unfinished = {resolved.successors[memory_id] for memory_id in suites.stale}
        learned = [
            memory_id
            for memory_id, right in suites.known.items()
            if any(right) and memory_id not in unfinished
        ]
        take_out = to_take_out(results, suites.leaks, resolved.to_learn)
    except (EngineUnavailableError, OperationalError, LeaseLostError):
        raise
    except DormouseError as error:
        report = GateReport(passed=False, reason=error.message)
    except Exception as error:
        log.exception("the gate of adapter %s failed", adapter.version)
        report = GateReport(passed=False, reason=f"the gate itself failed: {error}")
    if not report.passed:
        await _unload(context, adapter)
    return Gated(report=report, learned=learned, take_out=take_out)


def replaced_probes(
    old: Sequence[SeedExample], resolved: Resolved, memories: Sequence[Memory]
) -> list[Probe]:
    """Held-out wordings of what gives way; not where the new value holds the old one's words."""
    values = {memory.id: memory.value for memory in memories}
    replaced = {old_id: values.get(new_id) for old_id, new_id in resolved.successors.items()}
    return seed_probes(
        [
            seed
            for seed in old
            if (value := replaced.get(seed.memory_id)) is not None
            and not mentions_any(value, seed.accept)
        ]
    )


def untaught(erased: Sequence[SeedExample], in_force: Sequence[Memory]) -> list[SeedExample]:
    """Wordings of what was erased; not where a lesson in force holds the same value."""
    texts = [f"{item.question} {item.answer} {item.value}" for item in in_force]
    return [seed for seed in erased if not any(mentions_any(text, seed.accept) for text in texts)]


def leak_probes(neighbours: Sequence[NeighbourProbe]) -> list[Probe]:
    """Questions that must not get their memory's value."""
    return [Probe(item.question, (item.value,), item.memory_id, item.way) for item in neighbours]


def least_retention(in_force: Sequence[Memory]) -> int:
    """How many wordings of earlier memories must be asked: half as many as there are memories."""
    num_known = sum(memory.state == "learned" for memory in in_force)
    return min(math.ceil(num_known / 2), MAX_RETENTION_PROBES)


def asked_enough(results: Sequence[SuiteResult], least: Mapping[str, int]) -> list[SuiteResult]:
    """The same, but a suite that asked less than it had to has failed: it could not find much."""
    return [
        result
        if result.num_probes >= least.get(result.name, 0)
        else result.model_copy(
            update={
                "passed": False,
                "detail": f"fewer probes than the {least[result.name]} it needs",
            }
        )
        for result in results
    ]


def decide(results: Sequence[SuiteResult], without: Collection[UUID] = ()) -> GateReport:
    """All suites must pass; what they were not asked about is named."""
    failed = [result for result in results if not result.passed]
    if not failed:
        reason = "every suite passed"
        if without:
            reason += f", without what leaked at first and waits: {', '.join(map(str, without))}"
        return GateReport(passed=True, reason=reason, suites=list(results))
    reasons = [
        f"{result.name}: {result.candidate:g} against {_whose(result)}{result.baseline:g}, "
        f"margin {result.margin:+g}, {result.num_probes} probes"
        for result in failed
    ]
    return GateReport(passed=False, reason="; ".join(reasons), suites=list(results))


def _whose(result: SuiteResult) -> str:
    return "the base's " if result.against == "base" else ""


async def _run_suites(
    context: Context,
    control: CycleControl,
    awake: Route,
    adapter: AdapterFile,
    material: Material,
) -> tuple[Suites, list[SuiteResult]]:
    general = general_probes(context.settings.gate_max_general)
    in_doubt = doubt_probes(context.settings.gate_max_general)
    pair = Pair(baseline=awake.engine_name, candidate=adapter.engine_name, base=awake.base)
    progress = _Progress(control, num_answers(pair, len(general), len(material)))
    engine = GateEngine(context.engine, context.settings.gate_concurrency, progress.step)
    suites = Suites(engine, pair)
    results = []
    progress.suite = "acquisition"
    results.append(await suites.acquisition(material.new))
    progress.suite = "superseded"
    results.append(await suites.superseded(material.replaced))
    progress.suite = "retention"
    results.append(await suites.retention(material.old))
    results.append(suites.confused([*material.new, *material.old], material.in_force))
    if material.erased:
        progress.suite = "erased"
        results.append(await suites.erased(material.erased))
    progress.suite = "leak"
    results.append(await suites.leak(material.strangers))
    progress.suite = "near_leak"
    results.append(await suites.near_leak(material.near))
    progress.suite = "detail_leak"
    max_leaks = context.settings.gate_max_detail_leaks
    results.append(await suites.detail_leak(material.details, max_leaks))
    progress.suite = "capability"
    results += await suites.capability(general, in_doubt)
    progress.suite = "alignment"
    results += await suites.alignment()
    progress.suite = "refusals"
    results += await suites.refusals()
    progress.suite = "locality"
    results += await suites.locality()
    results += suites.openings(general)
    results += suites.collapse()
    return suites, results


class _Progress:
    """Counts answers, and shows the suite that runs."""

    def __init__(self, control: CycleControl, num_answers: int) -> None:
        self._control = control
        self._num_answers = num_answers
        self._num_done = 0
        self.suite = ""

    async def step(self) -> None:
        self._num_done += 1
        # In doubt more is asked than was expected.
        await self._control.report(min(self._num_done / self._num_answers, 1.0), self.suite)


async def _unload(context: Context, adapter: AdapterFile) -> None:
    """Let the engine forget a rejected candidate; that it cannot is no reason to stop."""
    try:
        await context.engine.unload_adapter(adapter.engine_name)
    except DormouseError as error:
        log.info("rejected adapter %s stays loaded: %s", adapter.version, error.message)
