"""The losses, and the schedule."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from worker.trainer import loss
from worker.trainer.loss import divergences, target_losses
from worker.trainer.train import learning_rate_factor

NUM_LOGITS = 11
Losses = Callable[[Tensor], Tensor]


@pytest.fixture(autouse=True)
def many_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven targets are three blocks, of which two take two turns."""
    monkeypatch.setattr(loss, "BLOCK_TARGETS", 3)
    monkeypatch.setattr(loss, "CACHED_LOGITS", 2 * NUM_LOGITS + 1)


def states(dtype: torch.dtype) -> tuple[nn.Linear, Tensor, Tensor]:
    """A head that is not trained, and hidden states of student and teacher."""
    torch.manual_seed(0)
    head = nn.Linear(8, NUM_LOGITS).requires_grad_(False)
    return head.to(dtype), torch.randn(7, 8).to(dtype), torch.randn(7, 8).to(dtype)


def with_gradient(losses: Losses, hidden_ND: Tensor) -> list[Tensor]:
    hidden_ND = hidden_ND.clone().requires_grad_()
    loss_N = losses(hidden_ND)
    # Each target has a coefficient of its own.
    torch.autograd.backward((loss_N * torch.arange(1.0, len(loss_N) + 1)).sum())
    assert hidden_ND.grad is not None
    return [loss_N.detach(), hidden_ND.grad.float()]


def assert_agree(ours: Losses, textbook: Losses, hidden_ND: Tensor, tolerance: float) -> None:
    """The same losses, with gradient and without, and the same gradients."""
    pairs = zip(with_gradient(ours, hidden_ND), with_gradient(textbook, hidden_ND), strict=True)
    for mine, expected in pairs:
        assert (mine - expected).norm() <= tolerance * expected.norm()
    torch.testing.assert_close(ours(hidden_ND), textbook(hidden_ND))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.bfloat16, 1e-2)])
def test_the_target_loss_is_the_cross_entropy(dtype: torch.dtype, tolerance: float) -> None:
    head, hidden_ND, _ = states(dtype)
    target_N = torch.tensor([0, 8, 3, 3, 10, 1, 0])

    def textbook(hidden_ND: Tensor) -> Tensor:
        logits_NV = head(hidden_ND).float()
        return functional.cross_entropy(logits_NV, target_N, reduction="none")

    assert_agree(lambda h: target_losses(head, h, target_N), textbook, hidden_ND, tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.bfloat16, 1e-2)])
def test_the_divergence_is_the_textbook_sum(dtype: torch.dtype, tolerance: float) -> None:
    head, hidden_ND, teacher_ND = states(dtype)

    def textbook(hidden_ND: Tensor) -> Tensor:
        student_NV = torch.log_softmax(head(hidden_ND).float(), dim=-1)
        teacher_NV = torch.log_softmax(head(teacher_ND).float(), dim=-1)
        return (teacher_NV.exp() * (teacher_NV - student_NV)).sum(dim=-1)

    assert_agree(lambda h: divergences(head, h, teacher_ND), textbook, hidden_ND, tolerance)


def test_the_divergence_of_a_model_from_itself_is_zero() -> None:
    head, hidden_ND, _ = states(torch.float32)
    loss_N, gradient_ND = with_gradient(lambda h: divergences(head, h, hidden_ND), hidden_ND)
    torch.testing.assert_close(loss_N, torch.zeros(7), atol=1e-6, rtol=0)
    torch.testing.assert_close(gradient_ND, torch.zeros(7, 8), atol=1e-6, rtol=0)


def test_of_no_target_there_is_no_loss() -> None:
    head, hidden_ND, _ = states(torch.float32)
    loss_N = target_losses(head, hidden_ND[:0].requires_grad_(), torch.empty(0, dtype=torch.long))
    assert loss_N.shape == (0,)
    torch.autograd.backward(loss_N.sum())


def test_the_learning_rate_rises_then_falls() -> None:
    factors = [learning_rate_factor(step, 20, 0.1) for step in range(20)]
    assert factors[:2] == [0.5, 1.0]
    assert factors[2:] == sorted(factors[2:], reverse=True)
    assert 0.1 <= factors[-1] == pytest.approx(0.1, abs=0.02)
