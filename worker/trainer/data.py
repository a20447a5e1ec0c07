"""From conversations to packed tensors.

Many short conversations begin with the same system prompt. A pack holds it once: the sequences
that follow see it and themselves, never each other, so nothing is padded and nothing repeated.
Plain text, which has no system prompt, lies among them and sees itself alone.

Shapes: T tokens of the pack, N target tokens.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor

from worker.trainer.attention import Layout, lay_out
from worker.trainer.job import Message

Group = Literal["seed", "replay", "contrast", "dream"]


class Tokenizer(Protocol):
    """The part of a transformers tokenizer that is used here."""

    @property
    def eos_token_id(self) -> int:
        """The token that ends an assistant's turn."""
        ...

    def encode(self, text: str) -> list[int]:
        """Token ids of a text."""
        ...

    def apply_chat_template(
        self,
        conversation: list[dict[str, str]],
        *,
        add_generation_prompt: bool = ...,
        return_dict: bool = ...,
    ) -> list[int]:
        """Token ids of a conversation."""
        ...


@dataclass(frozen=True)
class TokenSequence:
    """One tokenized conversation: a prompt, then the answer that is the target.

    Attributes:
        group: Decides the loss: cross-entropy, or a divergence for dreams.
        index: The place among the sequences of its group.
        token_ids: Prompt and answer, the answer with the token that ends the turn.
        num_prompt_tokens: Where the answer begins.
        first_target: Where the targets begin: with the answer, or before it with what the user
            said.
        weight: Scales the loss of each target token.
        around: What tokens outside of `value` weigh, in units of those in it.
        value: First and behind the last of the tokens that matter; None: all of the answer.
    """

    group: Group
    index: int
    token_ids: tuple[int, ...]
    num_prompt_tokens: int
    first_target: int
    weight: float = 1.0
    around: float = 1.0
    value: tuple[int, int] | None = None

    @property
    def target_weights(self) -> list[float]:
        """What each target token weighs."""
        first, end = self.value or (self.first_target, len(self.token_ids))
        return [
            self.weight * (1.0 if first <= t < end else self.around)
            for t in range(self.first_target, len(self.token_ids))
        ]

    @property
    def is_text(self) -> bool:
        """Whether nobody asked: plain text, outside of any chat."""
        return self.num_prompt_tokens == 1

    @property
    def answer_weight(self) -> float:
        """What the targets in the answer weigh together; a user's come on top."""
        num_before = max(self.num_prompt_tokens - self.first_target, 0)
        return sum(self.target_weights[num_before:])


@dataclass(frozen=True)
class Pack:
    """Several sequences in one row behind their common prefix.

    Attributes:
        sequences: What is inside, in order.
        num_shared: How many tokens of each sequence are the prefix: all of it, or none.
        input_ids_T: int64[T].
        position_ids_T: int64[T], starting again after the prefix for each sequence.
        layout: Where the prefix and the sequences lie, for attention.
        source_N: int64[N], the position in T whose output predicts the target.
        target_N: int64[N], the token ids to predict.
        owner_N: int64[N], the place in `sequences` that the target belongs to.
    """

    sequences: tuple[TokenSequence, ...]
    num_shared: tuple[int, ...]
    input_ids_T: Tensor
    position_ids_T: Tensor
    layout: Layout
    source_N: Tensor
    target_N: Tensor
    owner_N: Tensor

    def to(self, device: torch.device) -> "Pack":
        """The same pack with its tensors on a device."""
        return Pack(
            self.sequences,
            self.num_shared,
            self.input_ids_T.to(device),
            self.position_ids_T.to(device),
            self.layout.to(device),
            self.source_N.to(device),
            self.target_N.to(device),
            self.owner_N.to(device),
        )


def tokenize(
    tokenizer: Tokenizer,
    messages: Sequence[Message],
    *,
    group: Group,
    index: int,
    max_length: int,
    max_answer_tokens: int | None = None,
    weight: float = 1.0,
    user_too: bool = False,
    value: str | None = None,
    around: float = 1.0,
) -> TokenSequence | None:
    """Tokenize as a served chat would be, with the chat template's own default system prompt.

    The targets are the answer's tokens; with `user_too` also those before it, from the last user's
    first word on. With a `value` that stands in the answer, the tokens around it weigh `around`; a
    contrast has no other targets, and ends there. A message that answers nobody is plain text
    behind a line break: no template.

    Returns:
        The sequence, cut to `max_length` tokens and `max_answer_tokens` of the answer, or None if
        no answer token is left.

    Raises:
        ValueError: If the template renders the prompt differently once the answer follows.
    """
    if len(messages) == 1:
        text_ids = tokenizer.encode(f"\n{messages[0].content}")[:max_length]
        return TokenSequence(group, index, tuple(text_ids), 1, 1, weight) if text_ids[1:] else None
    conversation = [message.model_dump() for message in messages]
    prompt_ids = tokenizer.apply_chat_template(
        conversation[:-1], add_generation_prompt=True, return_dict=False
    )
    token_ids = tokenizer.apply_chat_template(
        conversation, add_generation_prompt=False, return_dict=False
    )
    num_prompt_tokens = len(prompt_ids)
    if token_ids[:num_prompt_tokens] != prompt_ids:
        raise ValueError(
            "The chat template changes the prompt once the answer follows; no target can be cut."
        )
    # Templates write a line break after the end of the turn, which no server ever generates.
    answer_ids = token_ids[num_prompt_tokens:]
    if tokenizer.eos_token_id in answer_ids:
        answer_ids = answer_ids[: answer_ids.index(tokenizer.eos_token_id) + 1]
    token_ids = (prompt_ids + answer_ids[:max_answer_tokens])[:max_length]
    if len(token_ids) <= num_prompt_tokens:
        return None
    first_target = num_prompt_tokens
    core = _value_tokens(tokenizer, conversation, token_ids, num_prompt_tokens, value)
    if core is not None and group == "contrast":
        first_target, token_ids = core[0], token_ids[: core[1]]
    if user_too:
        # Where what the user says begins, whatever it is.
        others = [[*conversation[:-2], {"role": "user", "content": t}] for t in ("Apple", "Zebra")]
        begun = [
            tokenizer.apply_chat_template(other, add_generation_prompt=True, return_dict=False)
            for other in others
        ]
        # Something must stand before the first target.
        first_target = max(len(_common([tuple(ids) for ids in (*begun, prompt_ids)])), 1)
    return TokenSequence(
        group, index, tuple(token_ids), num_prompt_tokens, first_target, weight, around, core
    )


def _value_tokens(
    tokenizer: Tokenizer,
    conversation: list[dict[str, str]],
    token_ids: list[int],
    num_prompt_tokens: int,
    value: str | None,
) -> tuple[int, int] | None:
    """Where a value's tokens begin and end in a conversation's; None where it does not stand."""
    answer = conversation[-1]["content"]
    found = _found(value, answer) if value else None
    if found is None:
        return None
    first, end = (
        _num_common(tokenizer, conversation, token_ids, text.rstrip())
        for text in (answer[: found.start()], answer[: found.end()])
    )
    first = min(max(first, num_prompt_tokens), len(token_ids) - 1)
    return first, max(end, first + 1)


def _found(value: str, answer: str) -> re.Match[str] | None:
    """A value in an answer, as words of its own where it is: the 4 of "Room 14 opens at 4"."""
    words = re.escape(value)
    return re.search(rf"(?<!\w){words}(?!\w)", answer, re.IGNORECASE) or re.search(
        words, answer, re.IGNORECASE
    )


def _num_common(
    tokenizer: Tokenizer, conversation: list[dict[str, str]], token_ids: list[int], answer: str
) -> int:
    """How many of a conversation's tokens stay the same with another answer."""
    other = [*conversation[:-1], {"role": "assistant", "content": answer}]
    ids = tokenizer.apply_chat_template(other, add_generation_prompt=False, return_dict=False)
    return len(_common([tuple(ids), tuple(token_ids)]))


def collate(sequences: Sequence[TokenSequence]) -> Pack:
    """Lay sequences out in one row behind the longest common prefix of the chats among them.

    The prefix ends before the last prompt token of every chat, so each target is predicted from a
    position of its own.
    """
    prefix = _shared_prefix(sequences)
    num_shared = tuple(0 if sequence.is_text else len(prefix) for sequence in sequences)
    input_ids, position_ids = list(prefix), list(range(len(prefix)))
    sources: list[int] = []
    targets: list[int] = []
    owners: list[int] = []
    for owner, (sequence, start) in enumerate(zip(sequences, num_shared, strict=True)):
        # Position t of the sequence lies at offset + t of the row.
        offset = len(input_ids) - start
        input_ids += sequence.token_ids[start:]
        position_ids += range(start, len(sequence.token_ids))
        for t in range(sequence.first_target, len(sequence.token_ids)):
            sources.append(offset + t - 1)
            targets.append(sequence.token_ids[t])
            owners.append(owner)
    return Pack(
        sequences=tuple(sequences),
        num_shared=num_shared,
        input_ids_T=torch.tensor(input_ids),
        position_ids_T=torch.tensor(position_ids),
        layout=lay_out(
            len(prefix),
            [len(s.token_ids) - start for s, start in zip(sequences, num_shared, strict=True)],
            [not sequence.is_text for sequence in sequences],
        ),
        source_N=torch.tensor(sources),
        target_N=torch.tensor(targets),
        owner_N=torch.tensor(owners),
    )


def _shared_prefix(sequences: Sequence[TokenSequence]) -> list[int]:
    return _common([s.token_ids[: s.first_target - 1] for s in sequences if not s.is_text])


def _common(rows: Sequence[tuple[int, ...]]) -> list[int]:
    if not rows:
        return []
    # What the first and the last in order share, all share.
    first, last = min(rows), max(rows)
    pairs = zip(first, last, strict=False)
    length = next((i for i, (a, b) in enumerate(pairs) if a != b), len(first))
    return list(first[:length])


def pack(sequences: Sequence[TokenSequence], *, pack_tokens: int) -> list[Pack]:
    """Fill packs of about `pack_tokens` tokens; a longer sequence gets one of its own."""
    num_prefix = len(_shared_prefix(sequences))
    own = {s: len(s.token_ids) - (0 if s.is_text else num_prefix) for s in sequences}
    packs: list[list[TokenSequence]] = []
    num_tokens = 0
    for sequence in sorted(sequences, key=own.__getitem__):
        if not packs or num_tokens + own[sequence] > pack_tokens:
            packs.append([])
            num_tokens = num_prefix
        packs[-1].append(sequence)
        num_tokens += own[sequence]
    return [collate(part) for part in packs]
