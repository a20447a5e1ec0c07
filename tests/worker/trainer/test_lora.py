"""The fused LoRA layer against PEFT's own."""

import pytest
import torch
from peft import LoraConfig
from peft.tuners.lora import Linear
from torch import Tensor, nn

from worker.trainer.lora import FusedLinear


def layer(kind: type[Linear], dtype: torch.dtype) -> Linear:
    torch.manual_seed(0)
    config = LoraConfig(r=4, lora_alpha=12)
    made = kind(nn.Linear(24, 40, dtype=dtype), "default", config=config, r=4, lora_alpha=12)
    nn.init.normal_(made.lora_B["default"].get_parameter("weight"))
    return made


def output_and_gradients(made: Linear, x: Tensor) -> list[Tensor]:
    x = x.clone().requires_grad_()
    output = made(x)
    output.float().square().sum().backward()
    low, up = (part["default"].get_parameter("weight") for part in (made.lora_A, made.lora_B))
    return [g.float() for g in (output.detach(), x.grad, low.grad, up.grad) if g is not None]


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 2e-2)])
def test_it_computes_what_peft_computes(dtype: torch.dtype, tolerance: float) -> None:
    x = torch.randn(2, 7, 24).to(dtype)
    ours = output_and_gradients(layer(FusedLinear, dtype), x)
    theirs = output_and_gradients(layer(Linear, dtype), x)
    assert len(ours) == len(theirs) == 4
    for mine, other in zip(ours, theirs, strict=True):
        assert (mine - other).norm() <= tolerance * other.norm()


def test_switched_off_it_is_the_base() -> None:
    made, x = layer(FusedLinear, torch.float32), torch.randn(3, 24)
    made.enable_adapters(False)
    torch.testing.assert_close(made(x), made.base_layer(x))
