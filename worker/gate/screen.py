"""Look at a candidate's files before the engine does: a damaged file must not reach it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, deserialize

from shared.contracts.adapters import AdapterFile
from shared.engine.adapter_files import CONFIG, WEIGHTS, verify
from shared.errors import AdapterFileError

# What vLLM's LoRA accepts; it refuses DoRA, bias and modules_to_save.
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
FLOATS = {"F32": np.float32, "F16": np.float16}


def screen(adapter: AdapterFile) -> None:
    """Check hash, configuration and every number.

    Raises:
        AdapterFileError: With what is wrong.
    """
    verify(adapter)
    directory = Path(adapter.path)
    try:
        config = json.loads((directory / CONFIG).read_text())
        tensors = deserialize((directory / WEIGHTS).read_bytes())  # type: ignore[no-untyped-call]
    except (OSError, ValueError, SafetensorError) as error:
        raise AdapterFileError(f"the candidate's files cannot be read: {error}") from error
    _check_config(config)
    if not tensors:
        raise AdapterFileError("the candidate has no weights")
    for name, tensor in tensors:
        _check_tensor(name, tensor, config["r"])
    if not any(".lora_B." in name and _values(tensor).any() for name, tensor in tensors):
        raise AdapterFileError("every lora_B of the candidate is zero: it changes nothing")


def _check_config(config: dict[str, Any]) -> None:
    if config.get("r") not in RANKS:
        raise AdapterFileError(f"the candidate's rank {config.get('r')} is none of {RANKS}")
    for key in ("use_dora", "modules_to_save"):
        if config.get(key):
            raise AdapterFileError(f"the candidate sets {key}, which the engine refuses")
    if config.get("bias", "none") != "none":
        raise AdapterFileError("the candidate trains biases, which the engine refuses")


def _check_tensor(name: str, tensor: dict[str, Any], r: int) -> None:
    if ".lora_A." not in name and ".lora_B." not in name:
        raise AdapterFileError(f"the candidate holds {name}, which is not a LoRA weight")
    rank = tensor["shape"][0 if ".lora_A." in name else 1]
    if rank != r:
        raise AdapterFileError(f"{name} has rank {rank}, its configuration says {r}")
    if not np.isfinite(_values(tensor)).all():
        raise AdapterFileError(f"{name} holds values that are not finite")


def _values(tensor: dict[str, Any]) -> "np.ndarray[Any, np.dtype[Any]]":
    """The tensor's numbers, flat. bfloat16 is the upper half of float32.

    Raises:
        AdapterFileError: If it is not made of floats.
    """
    data, dtype = tensor["data"], tensor["dtype"]
    if dtype == "BF16":
        return (np.frombuffer(data, np.uint16).astype(np.uint32) << 16).view(np.float32)
    if dtype not in FLOATS:
        raise AdapterFileError(f"a weight has type {dtype}; the engine wants floats")
    return np.frombuffer(data, FLOATS[dtype])
