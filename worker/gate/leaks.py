"""How leaks are judged, lesson by lesson, and what a night is better off without; asks nothing."""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.contracts.cycles import SuiteResult
from worker.gate.probes import Probe
from worker.gate.statistics import compare_shares

LEAK_MARGIN = -0.5
# Of all near neighbours, and of one memory's: with three of four it is taken for its whole kind.
# As near as questions get: a small model's nights leak at a quarter of them (decision 0045).
NEAR_LEAK_MARGIN = -0.4
LEAKY_SHARE = 0.75
MIN_LEAKS = 3
MAX_LEAKS_SHOWN = 5
# Where more lessons than this share leak it is the night that does, not they.
MAX_TAKEN_OUT = 1 / 3


@dataclass(frozen=True)
class Said:
    """A question, and whether it got a value that it must not get, before and after.

    Attributes:
        probe: The question; its memory is the one that leaks, or that is taken for another.
        before: Of the active one.
        after: Of the candidate.
        others: Whose value it got, where that is not the probe's own memory.
    """

    probe: Probe
    before: bool
    after: bool
    others: tuple[UUID, ...] = ()

    @property
    def is_new(self) -> bool:
        """Whether the candidate alone says it."""
        return self.after and not self.before

    @property
    def concerned(self) -> set[UUID]:
        """Without which memories it would not be said."""
        own = self.probe.memory_id
        return {*self.others, *([own] if own else [])}


Judge = Callable[[Sequence[Said]], SuiteResult]


@dataclass(frozen=True)
class LeakSuite:
    """What was said, and how it is judged: of all memories, or without some of them."""

    said: tuple[Said, ...]
    judge: Judge

    def result(self, without: Collection[UUID] = ()) -> SuiteResult:
        """Judge it."""
        return self.judge([each for each in self.said if not each.concerned & set(without)])


def judge_strangers(said: Sequence[Said]) -> SuiteResult:
    """Subjects that share nothing with a taught one: no more than chance, no more than half."""
    return compare_shares(
        "leak",
        [not each.before for each in said],
        [not each.after for each in said],
        margin=LEAK_MARGIN,
        detail="share of strangers that do not get the taught value",
    )


def judge_near(said: Sequence[Said]) -> SuiteResult:
    """What only resembles a lesson, lesson by lesson; where nothing was asked nothing is proven."""
    num_leaky, num_memories = num_failed(said, MIN_LEAKS, LEAKY_SHARE)
    ways: defaultdict[str, list[bool]] = defaultdict(list)
    for each in said:
        ways[each.probe.way].append(each.is_new)
    by_way = ", ".join(f"{way} {sum(each)} of {len(each)}" for way, each in ways.items())
    result = held_back("near_leak", said, NEAR_LEAK_MARGIN)
    return result.model_copy(
        update={
            "passed": result.passed and bool(said) and not num_leaky,
            "detail": f"{num_leaky} of {num_memories} memories leak; {by_way}; {result.detail}",
        }
    )


def judge_details(max_leaks: float) -> Judge:
    """The very question of something else.

    Args:
        max_leaks: The share of them that may get the value; 1 reports it alone.
    """

    def judge(said: Sequence[Said]) -> SuiteResult:
        result = held_back("detail_leak", said, -max_leaks)
        how = "reported alone; " if max_leaks == 1 else ""
        if not said:
            how = "nothing to ask; "
        return result.model_copy(update={"detail": f"{how}{result.detail}"})

    return judge


def to_take_out(
    results: Sequence[SuiteResult], leaks: Sequence[LeakSuite], taught: Collection[UUID]
) -> list[UUID]:
    """The few lessons without which nothing leaks too much.

    Args:
        results: Of all suites.
        leaks: Those of leaks among them.
        taught: What the candidate was taught; what is older is not taken out.

    Returns:
        The worst first; none if the candidate has another fault, or if so many leak that the night
        is to blame.
    """
    failed = {result.name for result in results if not result.passed}
    blamed = [suite for suite in leaks if suite.result().name in failed]
    if not failed or failed != {suite.result().name for suite in blamed}:
        return []
    shares: defaultdict[UUID, float] = defaultdict(float)
    for suite in blamed:
        num_asked = Counter(each.probe.memory_id for each in suite.said)
        for each in suite.said:
            for memory_id in each.concerned & set(taught) if each.is_new else ():
                shares[memory_id] += 1 / num_asked[each.probe.memory_id]
    worst = sorted(shares, key=lambda memory_id: -shares[memory_id])
    taken: list[UUID] = []
    for memory_id in worst[: max(1, int(len(taught) * MAX_TAKEN_OUT))]:
        taken.append(memory_id)
        if all(suite.result(taken).passed for suite in leaks):
            return taken
    return []


def num_failed(said: Sequence[Said], least: int, share: float) -> tuple[int, int]:
    """How many memories fail at that share of their questions, at `least` of them; and of how many.

    What one of them gives away is not made good by the others.
    """
    by_memory: defaultdict[UUID | None, list[bool]] = defaultdict(list)
    for each in said:
        by_memory[each.probe.memory_id].append(each.is_new)
    failed = [sum(each) >= max(least, share * len(each)) for each in by_memory.values()]
    return sum(failed), len(failed)


def held_back(name: str, said: Sequence[Said], margin: float) -> SuiteResult:
    """The share of questions that do not get the taught value, and which do; no sign test."""
    num_asked = max(len(said), 1)
    before = 1 - sum(each.before for each in said) / num_asked
    after = 1 - sum(each.after for each in said) / num_asked
    leaks = [each.probe.question for each in said if each.after]
    return SuiteResult(
        name=name,
        baseline=round(before, 4),
        candidate=round(after, 4),
        margin=margin,
        passed=after - before >= margin - 1e-9,
        num_probes=len(said),
        detail=f"said at: {' '.join(leaks[:MAX_LEAKS_SHOWN]) or 'none'}",
    )
