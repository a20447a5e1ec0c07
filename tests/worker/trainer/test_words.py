"""The thesaurus in a model's embeddings."""

from pathlib import Path

import torch

from worker.seed.thesaurus import near_words
from worker.trainer.words import NUM_NEAR, Thesaurus


def thesaurus() -> Thesaurus:
    torch.manual_seed(0)
    words = [letter * 4 for letter in "abcdefghijklmnopqrstuvwxyz"]
    table = torch.randn(len(words), 16)
    # b is a's twin but for its length; c is a little of everything.
    table[1] = 3 * table[0] + 0.1 * torch.randn(16)
    table[2] = table.sum(dim=0)
    return Thesaurus(table, words, torch.zeros(16))


def test_the_nearest_word_comes_first_and_a_word_is_not_its_own_neighbour() -> None:
    near = thesaurus().near("aaaa")
    assert near[0] == "bbbb"
    assert len(near) == NUM_NEAR
    assert "aaaa" not in near
    assert thesaurus().near("Aaaa") == near


def test_a_word_that_lies_close_to_everything_is_near_to_fewer() -> None:
    known = thesaurus()
    # The hub is one of the nearest by the angle alone, seldom by the corrected measure.
    unit = known._unit_VD
    by_angle = sum(2 in (unit @ unit[i]).topk(NUM_NEAR + 1).indices.tolist() for i in range(3, 26))
    corrected = sum("cccc" in known.near(chr(97 + i) * 4) for i in range(3, 26))
    assert corrected < by_angle


def test_of_the_forms_of_one_word_only_the_nearest_is_given() -> None:
    words = ["contacted", "contacting", "contacts", "notified", "notify", "asked", "phoned"]
    torch.manual_seed(0)
    table = torch.randn(len(words), 16) + 0.1
    near = Thesaurus(table, words, torch.zeros(16)).near("contacted")
    assert len({"contacting", "contacts"} & set(near)) == 1
    assert len({"notified", "notify"} & set(near)) == 1
    assert {"asked", "phoned"} < set(near)


def test_an_unknown_word_has_no_neighbours() -> None:
    assert thesaurus().near("Quillfeather") == []


async def test_a_model_whose_words_are_many_tokens_gives_none(tiny_model_dir: Path) -> None:
    assert await near_words(str(tiny_model_dir), ["colour", "van"], 1) == {"colour": [], "van": []}
