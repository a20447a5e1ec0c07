"""The training loop: cross-entropy on what is to be learned, a divergence on dreams.

Shapes: N target tokens of a micro-batch, D hidden size.
"""

import math
import os
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from worker.trainer.batches import Batches, Material
from worker.trainer.checkpoint import Checkpoint
from worker.trainer.data import TokenSequence, pack
from worker.trainer.job import Recipe
from worker.trainer.loss import divergences, target_losses
from worker.trainer.model import Student

# One line of progress; the values are JSON.
Report = Callable[[dict[str, object]], None]


class TrainingError(Exception):
    """Training cannot go on: a loss is not finite, or the parent process is gone."""


@dataclass(frozen=True)
class Outcome:
    """What training ended with; losses and drift in nats per token.

    Attributes:
        num_steps: Optimizer steps taken.
        seed_loss: Mean over the last tenth of the steps.
        kl: The same for the divergence on the dreams that were trained on.
        drift: KL from the dreams' teacher on dreams that were not trained on (on all dreams when
            none was held out); 0 without dreams.
        num_tokens: Tokens that went through the model in training.
    """

    num_steps: int
    seed_loss: float
    kl: float
    drift: float
    num_tokens: int


class Teacher:
    """Hidden states on given answers before training, kept instead of the logits.

    A state is D numbers where a distribution is as many as the vocabulary has tokens; the head,
    which has no LoRA, turns one into the other.
    """

    def __init__(self) -> None:
        """Know nothing yet."""
        self._hidden: dict[tuple[str, int], Tensor] = {}

    def read(
        self,
        student: Student,
        sequences: Sequence[TokenSequence],
        pack_tokens: int,
        *,
        adapter: bool,
    ) -> None:
        """Remember the student as it is now, or the bare base under it, on these sequences."""
        with student.evaluating(adapter=adapter):
            for part in pack(sequences, pack_tokens=pack_tokens):
                part = part.to(student.device)
                hidden_ND = student.hidden(part)
                for owner, sequence in enumerate(part.sequences):
                    key = (sequence.group, sequence.index)
                    self._hidden[key] = hidden_ND[part.owner_N == owner].clone()

    def hidden(self, sequences: Sequence[TokenSequence]) -> Tensor:
        """[N, D], the targets of these sequences in order."""
        return torch.cat([self._hidden[s.group, s.index] for s in sequences])


def train(
    student: Student,
    material: Material,
    recipe: Recipe,
    report: Report,
    checkpoint: Checkpoint,
    *,
    warm_start: bool,
) -> Outcome:
    """Train the student's adapter in place; a warm start goes on from a parent's weights.

    A run that was killed goes on behind its checkpoint, with the batches that it would have had.

    Raises:
        TrainingError: If a loss is not finite or the parent process died.
    """
    parent_pid = os.getppid()
    student.read(material.all, recipe.pack_tokens)
    teacher = Teacher()
    dreams = material.dreams + material.holdout_dreams
    teacher.read(student, dreams, recipe.pack_tokens, adapter=recipe.dream_teacher == "parent")
    if recipe.contrast_loss == "divergence":
        # The bare base: a parent may already leak.
        teacher.read(student, material.contrasts, recipe.pack_tokens, adapter=False)
    num_steps = recipe.steps_for(len(material.seeds))
    optimizer = torch.optim.AdamW(
        student.parameters,
        lr=recipe.learning_rate_for(len(material.seeds), warm_start=warm_start),
        weight_decay=recipe.weight_decay,
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: learning_rate_factor(step, num_steps, recipe.warmup_ratio)
    )
    batches = Batches(material, recipe)
    kl_weight = recipe.kl_weight_for(len(material.seeds))
    progress = checkpoint.restore(student, optimizer, schedule)
    batches.skip(progress.step)
    for step in range(progress.step + 1, num_steps + 1):
        if os.getppid() != parent_pid:
            raise TrainingError("The parent process is gone.")
        start_s = time.monotonic()
        batch = batches.next()
        losses, step_tokens = _backward(student, teacher, batch, recipe, kl_weight)
        if not all(math.isfinite(value) for value in losses.values()):
            raise TrainingError(f"The loss of step {step} is not finite: {losses}.")
        torch.nn.utils.clip_grad_norm_(
            student.parameters, recipe.max_grad_norm, error_if_nonfinite=False
        )
        optimizer.step()
        schedule.step()
        optimizer.zero_grad(set_to_none=True)
        progress.step = step
        progress.num_tokens += step_tokens
        progress.seed_losses.append(losses["seed_loss"])
        progress.kls.append(losses["kl"])
        checkpoint.save(progress, student, optimizer, schedule)
        report(
            {
                "event": "step",
                "step": step,
                "num_steps": num_steps,
                **{name: round(value, 5) for name, value in losses.items()},
                "tokens_per_s": round(step_tokens / (time.monotonic() - start_s), 1),
            }
        )
    tail = max(num_steps // 10, 1)
    return Outcome(
        num_steps=num_steps,
        seed_loss=sum(progress.seed_losses[-tail:]) / tail,
        kl=sum(progress.kls[-tail:]) / tail,
        drift=measure_drift(
            student, teacher, material.holdout_dreams or material.dreams, recipe.pack_tokens
        ),
        num_tokens=progress.num_tokens,
    )


def learning_rate_factor(step: int, num_steps: int, warmup_ratio: float) -> float:
    """Linear warm-up from above zero, then a cosine down to a tenth."""
    num_warmup_steps = max(round(num_steps * warmup_ratio), 1)
    if step < num_warmup_steps:
        return (step + 1) / num_warmup_steps
    progress = (step - num_warmup_steps) / max(num_steps - num_warmup_steps, 1)
    return 0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * progress))


def measure_drift(
    student: Student, teacher: Teacher, dreams: Sequence[TokenSequence], pack_tokens: int
) -> float:
    """Mean KL(teacher || student) in nats per token over all that is held of the dreams."""
    total, num_targets = 0.0, 0
    with student.evaluating():
        for part in pack(dreams, pack_tokens=pack_tokens):
            hidden_ND = student.hidden(part.to(student.device))
            teacher_ND = teacher.hidden(part.sequences)
            total += float(divergences(student.head, hidden_ND, teacher_ND).sum())
            num_targets += len(part.target_N)
    return total / max(num_targets, 1)


def _backward(
    student: Student,
    teacher: Teacher,
    batch: Sequence[TokenSequence],
    recipe: Recipe,
    kl_weight: float,
) -> tuple[dict[str, float], int]:
    """Accumulate the step's gradients, pack by pack.

    Every target token has one coefficient, so that the step's loss is the same however it is
    packed: mean over lessons + contrast_weight * mean over contrasts + kl_weight * mean over
    dreams, each weighted per token. Users' tokens in dreams come on top: the mean's divisor counts
    answers and texts only.

    Returns:
        The step's losses by name, and the number of tokens computed.
    """
    scales = {"contrast": recipe.contrast_weight, "dream": kl_weight}
    totals: defaultdict[str, float] = defaultdict(float)
    for sequence in batch:
        totals[_term(sequence)] += sequence.answer_weight
    sums: defaultdict[str, float] = defaultdict(float)
    num_tokens = 0
    kept = {"dream", "contrast"} if recipe.contrast_loss == "divergence" else {"dream"}
    for part in pack(batch, pack_tokens=recipe.pack_tokens):
        part = part.to(student.device)
        hidden_ND = student.hidden(part)
        owners = [part.sequences[owner] for owner in part.owner_N.tolist()]
        is_kept_N = torch.tensor([owner.group in kept for owner in owners], device=student.device)
        value_N = hidden_ND.new_zeros(len(owners), dtype=torch.float32)
        if not is_kept_N.all():
            value_N[~is_kept_N] = target_losses(
                student.head, hidden_ND[~is_kept_N], part.target_N[~is_kept_N]
            )
        if is_kept_N.any():
            sequences = [sequence for sequence in part.sequences if sequence.group in kept]
            value_N[is_kept_N] = divergences(
                student.head, hidden_ND[is_kept_N], teacher.hidden(sequences)
            )
        coefficient_N = value_N.new_tensor(
            [
                scales.get(_term(sequence), 1.0) * weight / totals[_term(sequence)]
                for sequence in part.sequences
                for weight in sequence.target_weights
            ]
        )
        loss = (value_N * coefficient_N).sum()
        torch.autograd.backward(loss)
        num_tokens += len(part.input_ids_T)
        sums["loss"] += float(loss.detach())
        for owner, value in zip(owners, value_N.tolist(), strict=True):
            sums[owner.group] += value
            sums[f"num_{owner.group}"] += 1
    losses = {"loss": sums["loss"]}
    for name, group in (("seed_loss", "seed"), ("kl", "dream")):
        losses[name] = sums[group] / max(sums[f"num_{group}"], 1)
    return losses, num_tokens


def _term(sequence: TokenSequence) -> str:
    """The term of the loss that a sequence belongs to: replays count as lessons."""
    return "lesson" if sequence.group in ("seed", "replay") else sequence.group
