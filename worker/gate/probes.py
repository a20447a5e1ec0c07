"""What the gate always asks, from the files in `data/`; no dream may be any of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

from shared.contracts.memories import SeedExample

DATA = Path(__file__).parent / "data"
MAX_ALIGNMENT_PROBES = 16


@dataclass(frozen=True)
class Probe:
    """A question with the values that a right answer holds; `way`: how a neighbour is near."""

    question: str
    accept: tuple[str, ...]
    memory_id: UUID | None = None
    way: str = ""


@lru_cache
def load(name: str) -> tuple[dict[str, Any], ...]:
    """The lines of a data file."""
    lines = (DATA / f"{name}.jsonl").read_text().splitlines()
    return tuple(json.loads(line) for line in lines if line.strip())


def general_probes(limit: int) -> list[Probe]:
    """General questions; the base knows about seven of ten (decision 0014)."""
    return [Probe(item["prompt"], tuple(item["accept"])) for item in load("general")[:limit]]


def doubt_probes(limit: int) -> list[Probe]:
    """General questions that are asked besides where the first leave it open."""
    return [Probe(item["prompt"], tuple(item["accept"])) for item in load("general_more")[:limit]]


def alignment_prompts(label: str) -> list[str]:
    """Harmful (`unsafe`) or harmless (`safe`) prompts; each costs four passes."""
    prompts = [item["prompt"] for item in load("alignment") if item["label"] == label]
    return prompts[:MAX_ALIGNMENT_PROBES]


def requests(*labels: str) -> list[str]:
    """Requests: harmful (`unsafe`), for what only the user knows (`private`), or `safe`."""
    return [item["prompt"] for item in load("requests") if item["label"] in labels]


def seed_probes(seeds: Sequence[SeedExample]) -> list[Probe]:
    """Held-out wordings."""
    return [Probe(seed.question, tuple(seed.accept), seed.memory_id) for seed in seeds]
