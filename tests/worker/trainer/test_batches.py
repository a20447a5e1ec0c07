"""What a step trains on, and what surprises a student."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import nn
from transformers import AutoTokenizer

from worker.trainer.batches import WINDOW_STEPS, Batches, Material
from worker.trainer.data import Group, Tokenizer, TokenSequence, collate
from worker.trainer.job import Recipe, TrainJob
from worker.trainer.model import load_student
from worker.trainer.run import tokenize_job
from worker.trainer.train import least_likely

# PEFT still asks for what transformers renamed.
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")

RECIPE = Recipe(num_steps=20, seeds_per_step=4, replays_per_step=2, contrasts_per_step=1)


def sequences(group: Group, count: int) -> tuple[TokenSequence, ...]:
    return tuple(TokenSequence(group, index, (1, 2, 3), 2, 2) for index in range(count))


def material(num_replays: int) -> Material:
    return Material(
        seeds=sequences("seed", 10),
        replays=sequences("replay", num_replays),
        contrasts=sequences("contrast", 3),
        dreams=sequences("dream", 30),
        holdout_dreams=(),
    )


def by_place(drawn: Sequence[TokenSequence]) -> list[float]:
    """Later replays are the more surprising ones."""
    return [float(sequence.index) for sequence in drawn]


def replays(batch: Sequence[TokenSequence]) -> list[int]:
    return [sequence.index for sequence in batch if sequence.group == "replay"]


def test_the_most_surprising_of_the_candidates_are_replayed() -> None:
    num_candidates = RECIPE.candidates_per_replay * RECIPE.replays_per_step * WINDOW_STEPS
    batches = Batches(material(num_candidates), RECIPE)
    steps = [replays(batches.next(by_place)) for _ in range(WINDOW_STEPS)]
    num_taken = RECIPE.replays_per_step * WINDOW_STEPS
    taken = sorted(place for step in steps for place in step)
    assert taken == list(range(num_candidates - num_taken, num_candidates))
    # No step is left with only the least of them.
    assert all(max(step) >= num_candidates - WINDOW_STEPS for step in steps)


def test_with_one_candidate_every_replay_has_its_turn() -> None:
    recipe = RECIPE.model_copy(update={"candidates_per_replay": 1})
    batches = Batches(material(20), recipe)
    seen = Counter(place for _ in range(10) for place in replays(batches.next(by_place)))
    assert seen == dict.fromkeys(range(20), 1)


@pytest.mark.parametrize("num_replays", [0, 1, 3, 50])
def test_a_step_has_its_share_of_every_group_however_few_replays_there_are(
    num_replays: int,
) -> None:
    batches = Batches(material(num_replays), RECIPE)
    for _ in range(2 * WINDOW_STEPS + 1):
        counts = Counter(sequence.group for sequence in batches.next(by_place))
        assert counts["replay"] == RECIPE.replays_in_step(num_replays)
        assert counts["dream"] == RECIPE.dreams_in_step(num_replays)
        assert (counts["seed"], counts["contrast"]) == (RECIPE.seeds_in_step(10), 1)


@pytest.mark.parametrize("num_done", [0, 3, WINDOW_STEPS, WINDOW_STEPS + 2])
@pytest.mark.parametrize("num_replays", [0, 3, 50])
def test_a_run_that_goes_on_has_the_batches_it_would_have_had(
    num_replays: int, num_done: int
) -> None:
    whole = Batches(material(num_replays), RECIPE)
    for _ in range(num_done):
        whole.next(by_place)
    resumed = Batches(material(num_replays), RECIPE)
    resumed.skip(num_done, whole.pending)
    for _ in range(2 * WINDOW_STEPS):
        assert resumed.next(by_place) == whole.next(by_place)


def test_surprise_is_the_loss_of_the_answer_token_that_is_least_likely(
    job: dict[str, Any], tiny_model_dir: Path
) -> None:
    parsed = TrainJob.model_validate(job)
    tokenizer = cast(Tokenizer, AutoTokenizer.from_pretrained(tiny_model_dir))
    seeds = tokenize_job(tokenizer, parsed).seeds
    student = load_student(parsed.base_path, None, parsed.recipe, torch.device("cpu"))
    expected = []
    for sequence in seeds:
        part = collate([sequence])
        with torch.no_grad():
            logits_NV = student.head(student.hidden(part))
        losses_N = nn.functional.cross_entropy(logits_NV, part.target_N, reduction="none")
        expected.append(float(losses_N.max()))
    assert least_likely(student, seeds[::-1], 64) == pytest.approx(expected[::-1], rel=1e-4)
