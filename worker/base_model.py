"""Unpack a GGUF file into a model directory that vLLM serves and the trainer reads.

    python -m worker.base_model --gguf PATH --output DIR

The directory is written beside its final place and renamed, so it is either complete or absent.
"""

import argparse
import logging
import shutil
import sys
import tempfile
from pathlib import Path

import torch
from torch import nn
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    GgufConfig,
    PreTrainedModel,
)

logger = logging.getLogger(__name__)

# What vLLM and the trainer open; a directory that has them all is complete.
REQUIRED_FILES = (
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
)


def is_complete(model_dir: Path) -> bool:
    """Whether the directory holds every file that serving and training need."""
    return all((model_dir / name).is_file() for name in REQUIRED_FILES)


def convert(gguf_path: Path, output_dir: Path) -> bool:
    """Write the model in `gguf_path` to `output_dir` as bfloat16 safetensors.

    Args:
        gguf_path: A GGUF file with weights, tokenizer and chat template.
        output_dir: Is replaced if it is incomplete, left as it is if it is complete.

    Returns:
        True if the directory was written, False if it was complete already.

    Raises:
        FileNotFoundError: If there is no such GGUF file.
        ValueError: If the GGUF file brings no chat template.
    """
    if is_complete(output_dir):
        return False
    if not gguf_path.is_file():
        raise FileNotFoundError(f"No GGUF file at {gguf_path}; name one with --gguf.")
    output_dir.parent.mkdir(parents=True, exist_ok=True)
    temporary_dir = Path(
        tempfile.mkdtemp(prefix=f".{output_dir.name}.", suffix=".partial", dir=output_dir.parent)
    )
    try:
        _write(gguf_path, temporary_dir)
        if not is_complete(temporary_dir):
            missing = [name for name in REQUIRED_FILES if not (temporary_dir / name).is_file()]
            raise ValueError(f"{gguf_path.name} gave no {', '.join(missing)}.")
        temporary_dir.chmod(0o755)
        for path in temporary_dir.iterdir():
            path.chmod(0o644)
        if output_dir.exists():
            shutil.rmtree(output_dir)
        temporary_dir.rename(output_dir)
    finally:
        shutil.rmtree(temporary_dir, ignore_errors=True)
    return True


def _write(gguf_path: Path, output_dir: Path) -> None:
    source = {
        "pretrained_model_name_or_path": str(gguf_path.parent),
        "gguf_file": gguf_path.name,
    }
    tokenizer = AutoTokenizer.from_pretrained(**source)
    if not tokenizer.chat_template:
        raise ValueError(f"{gguf_path.name} has no chat template; use an instruction-tuned model.")
    # Unpacking goes through float32: the quantized blocks hold float16 scales.
    model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
        **source,
        dtype=torch.float32,
        quantization_config=GgufConfig(gguf_file=gguf_path.name, dequantize=True),
    )
    _clear_quantization_marks(model)
    nn.Module.to(model, torch.bfloat16)
    model.config.dtype = torch.bfloat16
    # What the file calls itself after conversion is of no use to anybody.
    model.config.__dict__.pop("_model_name_or_path", None)
    model.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    model.save_pretrained(output_dir)
    tokenizer.model_max_length = model.config.max_position_embeddings
    tokenizer.save_pretrained(output_dir)


def _clear_quantization_marks(model: PreTrainedModel) -> None:
    """Make `save_pretrained` treat the unpacked weights as the plain ones that they are."""
    for name in ("hf_quantizer", "is_quantized", "quantization_method"):
        if hasattr(model, name):
            setattr(model, name, None)
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config


def main() -> int:
    """Parse the command line and convert; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m worker.base_model", description=__doc__)
    parser.add_argument("--gguf", type=Path, required=True, help="the GGUF file to unpack")
    parser.add_argument("--output", type=Path, required=True, help="the model directory to write")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        written = convert(arguments.gguf, arguments.output)
    except (OSError, ValueError) as error:
        logger.error("%s", error)
        return 1
    logger.info("%s: %s", arguments.output, "written" if written else "complete already")
    return 0


if __name__ == "__main__":
    sys.exit(main())
