"""What a step trains on."""

from collections import Counter

import pytest

from worker.trainer.batches import Batches, Material
from worker.trainer.data import Group, TokenSequence
from worker.trainer.job import Recipe

NUM_STEPS = 11
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


def test_every_replay_has_its_turn() -> None:
    batches = Batches(material(20), RECIPE)
    drawn = (sequence for _ in range(10) for sequence in batches.next())
    seen = Counter(sequence.index for sequence in drawn if sequence.group == "replay")
    assert seen == dict.fromkeys(range(20), 1)


@pytest.mark.parametrize("num_replays", [0, 1, 3, 50])
def test_a_step_has_its_share_of_every_group_however_few_replays_there_are(
    num_replays: int,
) -> None:
    batches = Batches(material(num_replays), RECIPE)
    for _ in range(NUM_STEPS):
        counts = Counter(sequence.group for sequence in batches.next())
        assert counts["replay"] == RECIPE.replays_in_step(num_replays)
        assert counts["dream"] == RECIPE.dreams_in_step(num_replays)
        assert (counts["seed"], counts["contrast"]) == (RECIPE.seeds_in_step(10), 1)


@pytest.mark.parametrize("num_done", [0, 3])
@pytest.mark.parametrize("num_replays", [0, 3, 50])
def test_a_run_that_goes_on_has_the_batches_it_would_have_had(
    num_replays: int, num_done: int
) -> None:
    whole = Batches(material(num_replays), RECIPE)
    for _ in range(num_done):
        whole.next()
    resumed = Batches(material(num_replays), RECIPE)
    resumed.skip(num_done)
    for _ in range(NUM_STEPS):
        assert resumed.next() == whole.next()
