"""Lessons and near neighbours written by hand, by people who knew the how-to alone.

They are the learning bench's second source (`--lessons-from written`): nothing of the product draws
on them, and who tunes it has not read them. Two writers, sixty lessons each; a twentieth of what
they wrote are updates. Each has three questions in other words, and three or four neighbours that
must not get its answer (`bench/data/written/README.md`).
"""

import json
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from bench.lessons import Lesson

DATA = Path(__file__).parent / "data" / "written"
MAX_UPDATES = 2


def written_curriculum(num_cycles: int, num_lessons: int, seed: int) -> list[list[Lesson]]:
    """What is taught in each cycle: the lessons in an order of the seed's, updates when due.

    An update comes in a later cycle than what it replaces, at most `MAX_UPDATES` in one.

    Raises:
        ValueError: If there are not as many lessons as asked for.
    """
    rng = random.Random(f"written:{seed}")
    rows = [*_rows()]
    updates = {row["replaces"]: row for row in rows if row["replaces"]}
    by_id = {row["id"]: row for row in rows}
    originals = [row for row in rows if not row["replaces"]]
    rng.shuffle(originals)
    # What is replaced, and what is told apart from another, must all be taught.
    linked = {
        id_ for row in originals for id_ in (row["id"], *_taught_beside(row)) if _taught_beside(row)
    }
    originals.sort(key=lambda row: row["id"] not in updates and row["id"] not in linked)
    num_wanted = num_cycles * num_lessons
    if num_wanted > len(originals):
        raise ValueError(f"There are {len(originals)} written lessons, not {num_wanted}.")
    first = num_wanted - min(len(updates), MAX_UPDATES * (num_cycles - 1))
    chosen = originals[:first]
    rng.shuffle(chosen)
    # In place of updates that do not fall due in time.
    chosen += originals[first:]
    cycles: list[list[Lesson]] = []
    due: list[dict[str, Any]] = []
    for _ in range(num_cycles):
        now, due = due[:MAX_UPDATES], due[MAX_UPDATES:]
        new, chosen = chosen[: num_lessons - len(now)], chosen[num_lessons - len(now) :]
        lessons = [_lesson(row, by_id[row["replaces"]]) for row in now]
        lessons += [_lesson(row, None) for row in new]
        due += [updates[row["id"]] for row in new if row["id"] in updates]
        cycles.append(lessons)
    return cycles


@cache
def _rows() -> tuple[dict[str, Any], ...]:
    return tuple(
        json.loads(line)
        for path in sorted(DATA.glob("*.jsonl"))
        for line in path.read_text().splitlines()
    )


def _taught_beside(row: dict[str, Any]) -> Iterator[str]:
    return (item["lesson"] for item in row["neighbours"] if item["differs"] == "taught")


def _lesson(row: dict[str, Any], replaced: dict[str, Any] | None) -> Lesson:
    # An update asks as the lesson did that it replaces: whether two questions are one is not
    # learned here but read.
    ask = (replaced or row)["ask"]
    return Lesson(
        key=((replaced or row)["id"], -2 if row["kind"] == "workflow" else 0),
        ask=ask,
        correction=row["plain"],
        value=row["value"],
        again=tuple(row["again"]),
        neighbours=tuple(item["ask"] for item in row["neighbours"]),
        replaces=replaced["value"] if replaced else None,
        kind=row["kind"],
        requests=tuple(row.get("requests", ())),
        subject=row["subject"] or "",
        accept=tuple(row["accept"]),
        alike=tuple((id_, 0) for id_ in _taught_beside(row)),
        is_edited=row["kind"] != "workflow",
    )
