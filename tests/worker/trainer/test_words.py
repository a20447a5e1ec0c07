"""The thesaurus that a model makes."""

from pathlib import Path

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer

from cli.home import Home
from worker.seed.english import same_word
from worker.seed.thesaurus import near_words
from worker.trainer.words import EXAMPLES, NUM_NEAR, Thesaurus, nearest, said_after

# None of them is among the examples.
SYNONYMS = tuple(
    pair.split()
    for pair in (
        "big large,finish end,salary wage,film movie,reply answer,holiday vacation,garbage trash,"
        "mistake error,wealthy rich,supper dinner,lawyer attorney,border boundary,"
        "noise sound,yearly annual,ship send,city town,speak talk,children kids,obtain get,"
        "repair fix"
    ).split(",")
)


def thesaurus(words: list[str], prior_V: Tensor | None = None) -> Thesaurus:
    torch.manual_seed(0)
    table_VD = torch.randn(len(words), 16)
    if prior_V is None:
        prior_V = torch.zeros(len(words))
    return Thesaurus(table_VD, words, torch.zeros(16), prior_V)


def test_what_the_model_says_comes_first_and_a_word_is_not_its_own_neighbour() -> None:
    words = [letter * 4 for letter in "abcdefghij"]
    said_V = torch.full((10,), -30.0)
    said_V[0], said_V[1] = 0.0, -1.0
    near = thesaurus(words).near("aaaa", said_V)
    assert near[0] == "bbbb"
    assert len(near) == NUM_NEAR
    assert "aaaa" not in near
    assert thesaurus(words).near("unknown", said_V)[:2] == ["aaaa", "bbbb"]


def test_what_is_said_to_any_word_comes_later() -> None:
    words = ["people", "staff"]
    said_V = torch.tensor([-1.0, -2.0])
    assert thesaurus(words).near("workers", said_V) == ["people", "staff"]
    prior_V = torch.tensor([-1.0, -6.0])
    assert thesaurus(words, prior_V).near("workers", said_V) == ["staff", "people"]


def test_of_words_that_are_said_alike_the_one_that_is_read_alike_comes_first() -> None:
    words = ["workers", "people", "staff"]
    table_VD = torch.eye(3, 16)
    table_VD[2] = table_VD[0] + 0.1
    known = Thesaurus(table_VD, words, torch.zeros(16), torch.zeros(3))
    assert known.near("workers", torch.full((3,), -2.0)) == ["staff", "people"]


def test_no_forms_of_the_word_itself_and_of_another_the_nearest_alone() -> None:
    words = ["contacted", "contacting", "contacts", "notified", "notify", "asked", "phoned"]
    said_V = -torch.arange(7.0) * 10
    assert thesaurus(words).near("contacted", said_V) == ["notified", "asked", "phoned"]


def test_a_word_is_answered_alike_alone_and_beside_longer_ones(tiny_model_dir: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny_model_dir)
    model = AutoModelForCausalLM.from_pretrained(tiny_model_dir)
    token_ids = list(range(7))
    both_NV = said_after(model, tokenizer, ["van", "headquarters"], token_ids)
    torch.testing.assert_close(both_NV[:1], said_after(model, tokenizer, ["van"], token_ids))
    whole = [
        model(**tokenizer(f"{examples}van:", return_tensors="pt")).logits[0, -1].log_softmax(-1)
        for examples in EXAMPLES
    ]
    torch.testing.assert_close(both_NV[0], torch.stack(whole).mean(dim=0)[token_ids])


async def test_a_model_whose_words_are_many_tokens_gives_none(tiny_model_dir: Path) -> None:
    assert await near_words(str(tiny_model_dir), ["colour", "van"], 1) == {"colour": [], "van": []}


def test_the_shipped_model_knows_most_of_twenty_synonyms() -> None:
    near = nearest(Home.at(None, None).model, [word for word, _ in SYNONYMS])
    found = [
        any(same_word(other, synonym) for other in others)
        for (_, synonym), others in zip(SYNONYMS, near, strict=True)
    ]
    assert sum(found) >= 17
