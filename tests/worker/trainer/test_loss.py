"""The losses, and the schedule."""

import pytest
import torch

from worker.trainer.loss import divergences, target_losses
from worker.trainer.train import learning_rate_factor


def test_the_divergence_of_a_model_from_itself_is_zero() -> None:
    logits_NV = torch.randn(5, 11)
    loss_N = divergences(logits_NV, torch.log_softmax(logits_NV, dim=-1))
    torch.testing.assert_close(loss_N, torch.zeros(5), atol=1e-6, rtol=0)


def test_the_divergence_is_the_textbook_sum() -> None:
    student_NV, teacher_NV = torch.randn(3, 7), torch.log_softmax(torch.randn(3, 7), dim=-1)
    student_logp_NV = torch.log_softmax(student_NV, dim=-1)
    expected_N = (teacher_NV.exp() * (teacher_NV - student_logp_NV)).sum(dim=-1)
    torch.testing.assert_close(divergences(student_NV, teacher_NV), expected_N)
    assert bool((expected_N > 0).all())


def test_the_target_loss_is_the_negative_log_probability() -> None:
    logits_NV, target_N = torch.randn(4, 9), torch.tensor([0, 8, 3, 3])
    expected_N = -torch.log_softmax(logits_NV, dim=-1)[torch.arange(4), target_N]
    torch.testing.assert_close(target_losses(logits_NV, target_N), expected_N)


def test_the_learning_rate_rises_then_falls() -> None:
    factors = [learning_rate_factor(step, 20, 0.1) for step in range(20)]
    assert factors[:2] == [0.5, 1.0]
    assert factors[2:] == sorted(factors[2:], reverse=True)
    assert 0.1 <= factors[-1] == pytest.approx(0.1, abs=0.02)
