"""A LoRA adapter of random weights, in the shape that the trainer gives one."""

import json
from collections.abc import Collection
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

MODULES = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")


def random_adapter(
    model: Path,
    directory: Path,
    *,
    r: int,
    modules: Collection[str] = MODULES,
    frozen_ratio: float = 0.0,
    scale: float = 0.01,
) -> Path:
    """Write a rank-`r` adapter for these modules of the base at `model`.

    Args:
        model: The base's folder.
        directory: Where to write.
        r: Rank.
        modules: Which linear layers get weights.
        frozen_ratio: Share of the decoder's layers, from the lowest, that get none.
        scale: Standard deviation of the weights.
    """
    config = json.loads((model / "config.json").read_text())
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    head_dim = config.get("head_dim") or hidden // config["num_attention_heads"]
    queries = head_dim * config["num_attention_heads"]
    keys = head_dim * config["num_key_value_heads"]
    shapes = {
        "self_attn.q_proj": (hidden, queries),
        "self_attn.k_proj": (hidden, keys),
        "self_attn.v_proj": (hidden, keys),
        "self_attn.o_proj": (queries, hidden),
        "mlp.gate_proj": (hidden, inner),
        "mlp.up_proj": (hidden, inner),
        "mlp.down_proj": (inner, hidden),
    }
    rng = np.random.default_rng(0)
    tensors = {}
    num_layers = config["num_hidden_layers"]
    for layer in range(int(num_layers * frozen_ratio), num_layers):
        for module, (num_in, num_out) in shapes.items():
            if module.rpartition(".")[2] not in modules:
                continue
            name = f"base_model.model.model.layers.{layer}.{module}"
            for part, shape in (("A", (r, num_in)), ("B", (num_out, r))):
                weights = rng.normal(0, scale, shape).astype(np.float32)
                tensors[f"{name}.lora_{part}.weight"] = weights
    directory.mkdir(parents=True)
    save_file(tensors, directory / "adapter_model.safetensors")
    settings = {
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "r": r,
        "lora_alpha": 2 * r,
        "bias": "none",
        "target_modules": sorted(modules),
        "base_model_name_or_path": "base",
    }
    (directory / "adapter_config.json").write_text(json.dumps(settings))
    return directory
