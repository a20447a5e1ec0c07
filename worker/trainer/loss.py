"""The losses. N target tokens, V vocabulary; everything in nats per token."""

import torch
from torch import Tensor
from torch.nn import functional


def target_losses(logits_NV: Tensor, target_N: Tensor) -> Tensor:
    """Cross-entropy of each target token.

    Args:
        logits_NV: float32[N, V].
        target_N: int64[N].

    Returns:
        float32[N].
    """
    return functional.cross_entropy(logits_NV, target_N, reduction="none")


def divergences(student_logits_NV: Tensor, teacher_logp_NV: Tensor) -> Tensor:
    """Forward KL(teacher || student) of each target token.

    Args:
        student_logits_NV: float32[N, V].
        teacher_logp_NV: float32[N, V], log-probabilities, no gradient.

    Returns:
        float32[N], zero where both agree.
    """
    student_logp_NV = torch.log_softmax(student_logits_NV, dim=-1)
    return functional.kl_div(
        student_logp_NV, teacher_logp_NV, reduction="none", log_target=True
    ).sum(dim=-1)
