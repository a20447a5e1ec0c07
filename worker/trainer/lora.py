"""PEFT's LoRA for linear layers, computed in the base's own type.

PEFT's own forward goes through float32: the input is copied, the product scaled and added at full
width, the sum copied back. Here the low-rank product is added by the matrix multiplication itself;
the weights stay float32, only their product is rounded, as a server in bfloat16 rounds it too.
"""

from typing import Any

import torch
from peft.tuners.lora import Linear
from torch import Tensor


class FusedLinear(Linear):
    """A linear layer with one plain LoRA adapter: no dropout, no variant, never merged."""

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """[..., out features] in the input's type."""
        output: Tensor = self.base_layer(x, *args, **kwargs)
        if self.disable_adapters:
            return output
        (name,) = self.active_adapters
        down_RD: Tensor = self.lora_A[name].get_parameter("weight").to(x.dtype)
        up_FR: Tensor = self.lora_B[name].get_parameter("weight").to(x.dtype)
        low_NR = x.flatten(0, -2) @ (down_RD.T * self.scaling[name])
        return torch.addmm(output.flatten(0, -2), low_NR, up_FR.T).view_as(output)
