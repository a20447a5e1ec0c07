"""The losses, from hidden states: no distribution over the vocabulary outlives its block.

A target needs V numbers several times over, and on a CPU moving them takes longer than the products
that make them. So the logits of a block of targets become losses and gradients few rows at a time,
while they are in the cache, and only the gradient of the hidden states is kept.

Shapes: N target tokens, D hidden size, V vocabulary; B targets of a block, R of a few rows. Losses
are in nats per token.
"""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

# Targets of a block; and so many logits, of a few of them, stay in a processor's cache.
BLOCK_TARGETS = 256
CACHED_LOGITS = 2**20

# From hidden states to logits; nothing in it is trained.
Head = Callable[[Tensor], Tensor]
# From logits [R, V] and what they should be to losses [R] and, if wanted, gradients [R, V].
RowsLoss = Callable[[Tensor, Tensor, bool], tuple[Tensor, Tensor | None]]


def target_losses(head: Head, hidden_ND: Tensor, target_N: Tensor) -> Tensor:
    """Cross-entropy of each target token.

    Args:
        head: From hidden states to logits.
        hidden_ND: [N, D].
        target_N: int64[N].

    Returns:
        float32[N].
    """
    return _losses(head, hidden_ND, lambda block: target_N[block], _cross_entropy)


def divergences(head: Head, hidden_ND: Tensor, teacher_ND: Tensor) -> Tensor:
    """Forward KL(teacher || student) of each target token.

    Args:
        head: From hidden states to logits, the student's and the teacher's.
        hidden_ND: [N, D], the student's.
        teacher_ND: [N, D]; gets no gradient.

    Returns:
        float32[N], zero where both agree.
    """
    return _losses(head, hidden_ND, lambda block: head(teacher_ND[block]), _divergence)


def _cross_entropy(
    logits_RV: Tensor, target_R: Tensor, wants_gradient: bool
) -> tuple[Tensor, Tensor | None]:
    logp_RV = torch.log_softmax(logits_RV, dim=-1)
    target_R1 = target_R[:, None]
    loss_R = -logp_RV.gather(-1, target_R1)[:, 0]
    if not wants_gradient:
        return loss_R, None
    minus_one_R1 = logp_RV.new_full(target_R1.shape, -1.0)
    return loss_R, logp_RV.exp_().scatter_add_(-1, target_R1, minus_one_R1)


def _divergence(
    logits_RV: Tensor, teacher_RV: Tensor, wants_gradient: bool
) -> tuple[Tensor, Tensor | None]:
    teacher_logp_RV = torch.log_softmax(teacher_RV.float(), dim=-1)
    logp_RV = torch.log_softmax(logits_RV, dim=-1)
    share_RV = teacher_logp_RV.exp()
    loss_R = teacher_logp_RV.sub_(logp_RV).mul_(share_RV).sum(dim=-1)
    return loss_R, logp_RV.exp_().sub_(share_RV) if wants_gradient else None


def _losses(
    head: Head, hidden_ND: Tensor, wanted: Callable[[slice], Tensor], rows_loss: RowsLoss
) -> Tensor:
    loss_N: Tensor = _Losses.apply(hidden_ND, head, wanted, rows_loss)  # type: ignore[no-untyped-call]
    return loss_N


class _Losses(torch.autograd.Function):
    """Losses of hidden states, with their gradients computed on the way."""

    @staticmethod
    def forward(
        ctx: Any,
        hidden_ND: Tensor,
        head: Head,
        wanted: Callable[[slice], Tensor],
        rows_loss: RowsLoss,
    ) -> Tensor:
        loss_N = hidden_ND.new_empty(len(hidden_ND), dtype=torch.float32)
        gradient_ND = torch.empty_like(hidden_ND) if ctx.needs_input_grad[0] else None
        for block in _slices(len(hidden_ND), BLOCK_TARGETS):
            hidden_BD = hidden_ND[block].detach()
            if gradient_ND is None:
                _fill(loss_N[block], head(hidden_BD), wanted(block), rows_loss, None)
                continue
            with torch.enable_grad():
                logits_BV = head(hidden_BD.requires_grad_())
            gradient_BV = torch.empty_like(logits_BV)
            _fill(loss_N[block], logits_BV.detach(), wanted(block), rows_loss, gradient_BV)
            (gradient_ND[block],) = torch.autograd.grad(logits_BV, hidden_BD, gradient_BV)
        ctx.save_for_backward(gradient_ND)
        return loss_N

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, None, None, None]:
        (gradient_ND,) = ctx.saved_tensors
        return outer[0][:, None].to(gradient_ND.dtype) * gradient_ND, None, None, None


def _fill(
    loss_B: Tensor,
    logits_BV: Tensor,
    wanted_B: Tensor,
    rows_loss: RowsLoss,
    gradient_BV: Tensor | None,
) -> None:
    """Write a block's losses, and its gradients if there is room for them."""
    num_targets, num_logits = logits_BV.shape
    num_rows = max(CACHED_LOGITS // num_logits, 1)
    for rows in _slices(num_targets, num_rows if logits_BV.is_cpu else num_targets):
        loss_B[rows], gradient_RV = rows_loss(
            logits_BV[rows].float(), wanted_B[rows], gradient_BV is not None
        )
        if gradient_BV is not None and gradient_RV is not None:
            gradient_BV[rows] = gradient_RV


def _slices(length: int, step: int) -> Iterator[slice]:
    for start in range(0, length, step):
        yield slice(start, start + step)
