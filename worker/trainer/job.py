"""What the trainer is asked to do: the job file, as pydantic models. Imports no torch."""

import math
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

# About eight lessons.
NUM_SEEDS_AT_FULL_RATE = 400
# The dreams' weight for few lessons, in units of that for many.
MAX_KL_GAIN = 2.0

ExampleKind = Literal["seed", "replay", "contrast"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Message(_Frozen):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class _Conversation(_Frozen):
    messages: tuple[Message, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _ends_with_the_assistant(self) -> Self:
        if self.messages[-1].role != "assistant":
            raise ValueError("The last message must be the assistant's: it is what is trained on.")
        return self


class TrainExample(_Conversation):
    """A conversation whose last turn is learned by cross-entropy."""

    kind: ExampleKind = Field(
        description="seed: new. replay: learned in an earlier cycle. contrast: a neighbour that "
        "must not get the lesson's answer."
    )
    memory_id: str | None = None
    weight: float = Field(default=1.0, gt=0)
    value: str | None = Field(
        default=None,
        description="The words of the answer that matter: of a contrast they alone are held, of a "
        "lesson the words around them weigh less. None: all of it.",
    )


class Dream(_Conversation):
    """What keeps its distribution: a user's turn and the model's answer, or its text alone."""


class Recipe(_Frozen):
    """How to train. The defaults were measured on a 135M model; see each field."""

    seed: int = 0
    r: int = Field(default=16, description="Rank; the engine must be started with at least it.")
    lora_alpha: int = 32
    target_modules: tuple[str, ...] = Field(
        default=("gate_proj", "up_proj", "down_proj"),
        description="The MLPs, where facts live (arXiv 2603.01097). With attention as well general "
        "questions moved half as far again, and a step took longer (decision 0006).",
    )
    frozen_ratio: float = Field(
        default=1 / 3,
        ge=0,
        lt=1,
        description="Share of the layers, from the lowest, that get no LoRA: each sequence goes "
        "through them once, and the backward pass ends above them (decision 0019).",
    )
    learning_rate: float = Field(
        default=2e-3,
        gt=0,
        description="At 1e-3 the same steps left new wordings unanswered (2 of 8); the divergences "
        "hold the rest still, so this rate does not drift (0.026 nats per token).",
    )
    warm_start_ratio: float = Field(
        default=0.85,
        gt=0,
        description="Share of the rate for an adapter that goes on from a parent. At 0.35 "
        "new lessons were learned far less well (decisions 0023, 0024).",
    )
    warmup_ratio: float = Field(default=0.1, ge=0, lt=1)
    num_steps: int | None = Field(default=None, ge=1, description="None: derived, see below.")
    num_passes: float = Field(
        default=3.0,
        description="How often each new example is seen when the steps are derived; ten lessons in "
        "about 50 wordings give about 160 steps. With less, nights learned less (decisions 0026, "
        "0034).",
    )
    min_num_steps: int = Field(
        default=72,
        description="The first steps move every answer; the later ones, with dreams and contrasts, "
        "bring the others back: with 36 a lone lesson leaked and what the model declines was lost "
        "(decision 0041).",
    )
    max_num_steps: int = 400
    seeds_per_step: int = Field(default=10, ge=1)
    replays_per_step: int = Field(
        default=7,
        ge=0,
        description="With 3, what was learned nights ago lost its other wordings to newer lessons "
        "about the same subject (decision 0022).",
    )
    contrasts_per_step: int = Field(
        default=10,
        ge=0,
        description="A hundred neighbours of a lesson, each seen once or twice, closed the leak "
        "where 32, seen four times as often, did not (decision 0045).",
    )
    dreams_per_step: int = Field(
        default=12,
        ge=0,
        description="Many short dreams hold more than few long ones: answers go astray in their "
        "first words.",
    )
    dreams_beside_replays: int = Field(
        default=10,
        ge=0,
        description="At most so many dreams in a step that also replays: these hold the model too.",
    )
    dream_teacher: Literal["base", "parent"] = Field(
        default="base",
        description="Whose distribution dreams keep. With the parent's, what each night moved "
        "stayed moved and added up (decision 0011).",
    )
    contrast_loss: Literal["divergence", "cross_entropy"] = Field(
        default="divergence",
        description="divergence: on a neighbour's question followed by the leaked answer, keep "
        "the bare base's distribution. cross_entropy: learn the given answer.",
    )
    around_weight: float = Field(
        default=0.3,
        gt=0,
        description="Of a lesson's words around its value, in units of the value's.",
    )
    contrast_weight: float = Field(
        default=0.8,
        ge=0,
        description="Per token of the leaked value. At 1.3 lessons lost wordings: 6 and 7 of 8 "
        "were right in new words (decision 0045).",
    )
    kl_weight: float = Field(
        default=3.0,
        ge=0,
        description="Of the dreams, per token of an answer or text; a user's words are held as "
        "hard as the answers to them (decision 0027). More for few lessons, see kl_weight_for. "
        "Heavier dreams slow the lessons down and need more steps (decision 0006).",
    )
    max_grad_norm: float = 1.0
    weight_decay: float = 0.0
    max_length: int = Field(default=512, ge=8, description="Tokens; longer ends are cut off.")
    max_dream_length: int = Field(
        default=72,
        ge=8,
        description="Tokens, the system prompt included; a dream whose prompt alone is longer is "
        "left out.",
    )
    max_dream_targets: int = Field(
        default=14,
        ge=1,
        description="Tokens of a dream's answer that are held still. Six hold an answer's opening, "
        "fourteen also the name in it: the divergence on general questions was .018 nats per token "
        "instead of .036 (decision 0006).",
    )
    pack_tokens: int = Field(
        default=1280,
        ge=8,
        description="Tokens of one packed micro-batch: a usual step in one, so that the shared "
        "system prompt is paid for once. Less memory when smaller.",
    )
    holdout_dream_ratio: float = Field(
        default=0.1, ge=0, lt=1, description="Share of dreams only used to measure drift."
    )
    num_probe_items: int = 4
    checkpoint_steps: int = Field(
        default=5, ge=1, description="A run that is killed loses at most so many steps."
    )
    base_dtype: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto",
        description="Of the frozen weights; LoRA's are float32. auto: bfloat16 on CUDA; on a CPU "
        "the faster of both, by a measurement when the run begins (worker/trainer/precision.py).",
    )

    def steps_for(self, num_seeds: int) -> int:
        """The number of optimizer steps for that many new seed examples."""
        if self.num_steps is not None:
            return self.num_steps
        num_steps = math.ceil(self.num_passes * num_seeds / self.seeds_per_step)
        return min(max(num_steps, self.min_num_steps), self.max_num_steps)

    def replays_in_step(self, num_replays: int) -> int:
        """How many of that many replay examples a step takes."""
        return min(self.replays_per_step, num_replays)

    def dreams_in_step(self, num_replays: int) -> int:
        """How many dreams a step takes beside what it draws from that many replay examples."""
        if self.replays_in_step(num_replays) == 0:
            return self.dreams_per_step
        return min(self.dreams_per_step, self.dreams_beside_replays)

    def learning_rate_for(self, num_seeds: int, *, warm_start: bool) -> float:
        """The peak learning rate for that many new seed examples, from a parent or from the base.

        Few lessons pull all weights the same way: at the full rate two of them cost a tenth of the
        general answers, at a third of it none (36 and 40 of 41 kept, all held-out frames right).
        """
        ratio = _share_of_full_rate(num_seeds)
        return self.learning_rate * ratio * (self.warm_start_ratio if warm_start else 1.0)

    def kl_weight_for(self, num_seeds: int) -> float:
        """The dreams' weight for that many new seed examples.

        What the rate gives up, the dreams gain, up to `MAX_KL_GAIN` times. One lesson is learned
        within half of the steps either way; at 3 it moved general answers 1.6 times as far as at 8
        (.0135 against .0084 nats per token; 59 against 62 of 64 kept).
        """
        return self.kl_weight * min(1 / _share_of_full_rate(num_seeds), MAX_KL_GAIN)

    def seeds_in_step(self, num_seeds: int) -> int:
        """How many new seed examples a step takes.

        A few lessons need the steps but not the repetitions: beyond `num_passes` they only push
        the dreams' share down, and general answers with it.
        """
        wanted = math.ceil(self.num_passes * num_seeds / self.steps_for(num_seeds))
        return max(min(wanted, self.seeds_per_step), 1)


def _share_of_full_rate(num_seeds: int) -> float:
    return min(math.sqrt(num_seeds / NUM_SEEDS_AT_FULL_RATE), 1.0)


class TrainJob(_Frozen):
    """One run of the trainer."""

    base_path: Path
    base_name: str = Field(
        default="base", description="What the adapter says it belongs to; never a local path."
    )
    parent_adapter_path: Path | None = Field(
        default=None, description="Warm start; None starts from the bare base."
    )
    output_dir: Path
    checkpoint_path: Path | None = Field(
        default=None, description="Where a run that was killed goes on; None starts anew."
    )
    examples: tuple[TrainExample, ...]
    dreams: tuple[Dream, ...] = ()
    recipe: Recipe = Recipe()
    num_threads: int = Field(default=2, ge=1)
    device: Literal["auto", "cpu", "cuda"] = "auto"
