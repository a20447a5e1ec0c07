"""Tokenizing and packing."""

from pathlib import Path
from typing import cast

import pytest
import torch
from transformers import AutoTokenizer, LlamaForCausalLM

from worker.trainer.attention import PACKED
from worker.trainer.data import Tokenizer, TokenSequence, collate, pack, tokenize
from worker.trainer.job import Message


@pytest.fixture(scope="module")
def tokenizer(tiny_model_dir: Path) -> Tokenizer:
    return cast(Tokenizer, AutoTokenizer.from_pretrained(tiny_model_dir))


def sequence(tokenizer: Tokenizer, question: str, answer: str, index: int = 0) -> TokenSequence:
    messages = [Message(role="user", content=question), Message(role="assistant", content=answer)]
    found = tokenize(tokenizer, messages, group="seed", index=index, max_length=256)
    assert found is not None
    return found


def test_the_target_is_the_answer_and_the_end_of_its_turn(tokenizer: Tokenizer) -> None:
    found = sequence(tokenizer, "Where?", "In Tromso.")
    target_ids = list(found.token_ids[found.num_prompt_tokens :])
    assert cast("AutoTokenizer", tokenizer).decode(target_ids) == "In Tromso.<|im_end|>"  # type: ignore[attr-defined]


def test_the_prompt_is_what_a_served_chat_would_have(tokenizer: Tokenizer) -> None:
    found = sequence(tokenizer, "Where?", "In Tromso.")
    served = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Where?"}], add_generation_prompt=True, return_dict=False
    )
    assert list(found.token_ids[: found.num_prompt_tokens]) == served


def test_a_conversation_without_room_for_its_answer_is_left_out(tokenizer: Tokenizer) -> None:
    messages = [Message(role="user", content="x" * 300), Message(role="assistant", content="y")]
    assert tokenize(tokenizer, messages, group="seed", index=0, max_length=64) is None


def test_of_a_dream_the_users_words_and_the_answers_beginning_are_targets(
    tokenizer: Tokenizer,
) -> None:
    messages = [Message(role="user", content="Go?"), Message(role="assistant", content="Yes, go!")]
    found = tokenize(
        tokenizer,
        messages,
        group="dream",
        index=0,
        max_length=256,
        max_answer_tokens=3,
        user_too=True,
    )
    assert found is not None
    assert found.answer_weight == 3
    target_ids = list(found.token_ids[found.first_target : found.num_prompt_tokens])
    said = cast("AutoTokenizer", tokenizer).decode(target_ids)  # type: ignore[attr-defined]
    assert said.startswith("Go?<|im_end|>")
    assert collate([found]).target_N[: len(target_ids)].tolist() == target_ids
    whole = sequence(tokenizer, "Go?", "Yes, go!")
    assert found.token_ids == whole.token_ids[: whole.num_prompt_tokens + 3]


@pytest.mark.parametrize("value", ["Tromso", "tromso", None, "Ghent"])
def test_of_a_lesson_the_words_around_the_value_weigh_less(
    tokenizer: Tokenizer, value: str | None
) -> None:
    messages = [
        Message(role="user", content="Where?"),
        Message(role="assistant", content="In Tromso."),
    ]
    found = tokenize(
        tokenizer, messages, group="seed", index=0, max_length=256, value=value, around=0.25
    )
    assert found is not None
    weights = dict.fromkeys(found.target_weights)
    if value is None or value == "Ghent":
        assert list(weights) == [1.0]
        return
    assert list(weights) == [0.25, 1.0]
    heavy = [
        token
        for token, weight in zip(
            found.token_ids[found.first_target :], found.target_weights, strict=True
        )
        if weight == 1.0
    ]
    assert cast("AutoTokenizer", tokenizer).decode(heavy).strip() == "Tromso"  # type: ignore[attr-defined]


def test_a_value_is_found_as_words_of_its_own(tokenizer: Tokenizer) -> None:
    messages = [
        Message(role="user", content="When?"),
        Message(role="assistant", content="Room 14 opens at 4 today."),
    ]
    found = tokenize(tokenizer, messages, group="contrast", index=0, max_length=256, value="4")
    assert found is not None
    before = cast("AutoTokenizer", tokenizer).decode(list(found.token_ids[: found.first_target]))  # type: ignore[attr-defined]
    assert before.rstrip().endswith("opens at")


def test_of_a_contrast_the_value_alone_is_held_and_nothing_stands_behind_it(
    tokenizer: Tokenizer,
) -> None:
    messages = [
        Message(role="user", content="Where?"),
        Message(role="assistant", content="It is in Tromso, they say."),
    ]
    found = tokenize(
        tokenizer, messages, group="contrast", index=0, max_length=256, value="Tromso", around=0.25
    )
    assert found is not None
    target_ids = list(found.token_ids[found.first_target :])
    assert cast("AutoTokenizer", tokenizer).decode(target_ids).strip() == "Tromso"  # type: ignore[attr-defined]
    assert found.target_weights == [1.0] * len(target_ids)


def plain_text(tokenizer: Tokenizer, words: str) -> TokenSequence:
    said = [Message(role="assistant", content=words)]
    text = tokenize(tokenizer, said, group="dream", index=0, max_length=256, user_too=True)
    assert text is not None
    return text


def test_a_message_that_answers_nobody_is_plain_text_beside_chats(tokenizer: Tokenizer) -> None:
    text = plain_text(tokenizer, "It rains.")
    assert list(text.token_ids) == tokenizer.encode("\nIt rains.")
    nothing = [Message(role="assistant", content="")]
    assert tokenize(tokenizer, nothing, group="dream", index=0, max_length=256) is None
    chats = [sequence(tokenizer, "Where?", "Here."), sequence(tokenizer, "When?", "Now.")]
    (part,) = pack([chats[0], text, chats[1]], pack_tokens=512)
    assert part.layout.num_prefix_tokens > 8
    shared = dict(zip(part.sequences, part.num_shared, strict=True))
    assert shared == {text: 0, **dict.fromkeys(chats, part.layout.num_prefix_tokens)}
    targets_N = part.target_N[part.owner_N == part.sequences.index(text)]
    assert targets_N.tolist() == list(text.token_ids[1:])


def test_a_pack_gives_each_sequence_the_logits_and_gradients_that_it_has_alone(
    tokenizer: Tokenizer, tiny_model_dir: Path
) -> None:
    model = LlamaForCausalLM.from_pretrained(tiny_model_dir).eval()  # type: ignore[no-untyped-call]
    packing = LlamaForCausalLM.from_pretrained(  # type: ignore[no-untyped-call]
        tiny_model_dir, attn_implementation=PACKED
    ).eval()
    sequences = [
        sequence(tokenizer, "Where is it?", "In Tromso."),
        plain_text(tokenizer, "It rains in Tromso."),
        sequence(tokenizer, "Where are they now?", "At home, I think."),
        sequence(tokenizer, "Hm?", "Yes."),
    ]
    packed = collate(sequences)
    assert len(packed.input_ids_T) < sum(len(s.token_ids) for s in sequences)
    logits_NV = packing(
        input_ids=packed.input_ids_T[None],
        position_ids=packed.position_ids_T[None],
        layout=packed.layout,
    ).logits[0, packed.source_N]
    torch.autograd.backward(logits_NV.square().sum())
    for owner, one in enumerate(sequences):
        ids_T = torch.tensor(one.token_ids)
        alone_NV = model(input_ids=ids_T[None]).logits[0, one.first_target - 1 : -1]
        torch.autograd.backward(alone_NV.square().sum())
        here_N = packed.owner_N == owner
        torch.testing.assert_close(logits_NV[here_N], alone_NV, atol=1e-4, rtol=1e-4)
        assert packed.target_N[here_N].tolist() == list(one.token_ids[one.first_target :])
    alone = dict(model.named_parameters())
    for name, parameter in packing.named_parameters():
        torch.testing.assert_close(parameter.grad, alone[name].grad, atol=1e-3, rtol=1e-3)


def test_packing_keeps_every_sequence_once_and_stays_within_its_size(tokenizer: Tokenizer) -> None:
    sequences = [sequence(tokenizer, "a" * n, "b" * n, index=n) for n in range(1, 20)]
    packs = pack(sequences, pack_tokens=200)
    assert sorted(s.index for part in packs for s in part.sequences) == list(range(1, 20))
    assert len(packs) > 1
    assert all(len(part.input_ids_T) <= 200 for part in packs)


def test_a_sequence_longer_than_a_pack_gets_one_of_its_own(tokenizer: Tokenizer) -> None:
    packs = pack([sequence(tokenizer, "a" * 50, "b" * 50)], pack_tokens=20)
    assert [len(part.sequences) for part in packs] == [1]
