"""The base with its LoRA, and what it computes for a pack.

Shapes: T tokens of the pack, N target tokens, D hidden size, V vocabulary.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch
from peft import LoraConfig, PeftConfig, PeftModel, TaskType
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, PreTrainedModel

from worker.trainer.attention import PACKED
from worker.trainer.data import Pack, TokenSequence
from worker.trainer.frozen import FrozenLayers
from worker.trainer.job import Recipe
from worker.trainer.lora import FusedLinear
from worker.trainer.precision import fastest_dtype


class Student:
    """A causal model with one LoRA adapter, which can be switched off."""

    def __init__(self, model: PeftModel, device: torch.device, num_frozen: int = 0) -> None:
        self.model = model
        self.device = device
        self.base_dtype = str(model.get_base_model().dtype).removeprefix("torch.")
        causal: nn.Module = model.get_base_model()
        decoder = causal.get_submodule(str(causal.base_model_prefix))
        self._frozen = FrozenLayers(decoder, num_frozen)
        self._head: nn.Module = causal.get_output_embeddings()  # type: ignore[operator]

    @property
    def parameters(self) -> list[nn.Parameter]:
        """The LoRA weights, float32."""
        return [p for p in self.model.parameters() if p.requires_grad]

    def read(self, sequences: Sequence[TokenSequence], pack_tokens: int) -> None:
        """Compute once what no step changes of these sequences; each costs less from then on."""
        self._frozen.read(sequences, pack_tokens, self.device)

    def hidden(self, pack: Pack) -> Tensor:
        """The last hidden state at every position that predicts a target.

        Returns:
            [N, D] in the base's dtype.
        """
        return self._frozen.decode(pack)[pack.source_N]

    def head(self, hidden_ND: Tensor) -> Tensor:
        """Logits [N, V]. The head has no LoRA, so the teacher's hidden states may use it too."""
        logits_NV: Tensor = self._head(hidden_ND)
        return logits_NV

    @contextmanager
    def evaluating(self, *, adapter: bool = True) -> Iterator[None]:
        """No gradient and no dropout; the bare base when `adapter` is False."""
        was_training = self.model.training
        self.model.eval()
        try:
            with torch.no_grad(), nullcontext() if adapter else self.model.disable_adapter():
                yield
        finally:
            self.model.train(was_training)


def base_dtype(recipe: Recipe, device: torch.device) -> torch.dtype:
    """The type of the frozen weights."""
    if recipe.base_dtype != "auto":
        dtype: torch.dtype = getattr(torch, recipe.base_dtype)
        return dtype
    return fastest_dtype(device)


def load_student(
    base_path: Path, parent_adapter_path: Path | None, recipe: Recipe, device: torch.device
) -> Student:
    """Load the base and give it a fresh adapter, or the parent's weights to go on from.

    Raises:
        ValueError: If the parent was trained with another shape than the recipe's.
    """
    base: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
        base_path,
        dtype=base_dtype(recipe, device),
        attn_implementation=PACKED,
        local_files_only=True,
    )
    nn.Module.to(base, device)
    num_layers = base.config.num_hidden_layers
    num_frozen = int(num_layers * recipe.frozen_ratio)
    # Only dense LoRA: vLLM refuses DoRA, bias and modules_to_save.
    config = LoraConfig(
        task_type=TaskType.CAUSAL_LM,
        r=recipe.r,
        lora_alpha=recipe.lora_alpha,
        lora_dropout=0.0,
        target_modules=list(recipe.target_modules),
        bias="none",
        layers_to_transform=list(range(num_frozen, num_layers)) if num_frozen else None,
    )
    config._register_custom_module({nn.Linear: FusedLinear})
    if parent_adapter_path is None:
        model = PeftModel(base, config)
    else:
        _check_parent(PeftConfig.from_pretrained(str(parent_adapter_path)), config)
        model = PeftModel.from_pretrained(
            base, str(parent_adapter_path), is_trainable=True, config=config
        )
    model.train()
    return Student(model, device, num_frozen)


def _check_parent(parent: PeftConfig, config: LoraConfig) -> None:
    for name in ("r", "lora_alpha", "target_modules", "layers_to_transform"):
        theirs, ours = getattr(parent, name, None), getattr(config, name)
        if theirs != ours:
            raise ValueError(
                f"The parent adapter has {name}={theirs}, the recipe {ours}; "
                "train from the base instead, or use the parent's shape."
            )
