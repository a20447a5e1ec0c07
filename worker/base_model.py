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

# Without these neither vLLM nor the trainer can read a model; the weights may be in several files.
REQUIRED_FILES = ("config.json", "tokenizer_config.json", "*.safetensors")


def missing_files(model_dir: Path) -> list[str]:
    """What the directory lacks to be served and trained."""
    return [pattern for pattern in REQUIRED_FILES if not any(model_dir.glob(pattern))]


def convert(gguf_path: Path, output_dir: Path) -> bool:
    """Write the model in `gguf_path` to `output_dir` as bfloat16 safetensors.

    Args:
        gguf_path: A GGUF file with weights, tokenizer and chat template.
        output_dir: Is left as it is if it holds a model.

    Returns:
        True if the directory was written, False if it held a model already.

    Raises:
        FileNotFoundError: If there is no such GGUF file.
        ValueError: If the directory holds a part of a model, which may be somebody's own, or the
            GGUF file brings no chat template.
    """
    if output_dir.is_dir() and any(output_dir.iterdir()):
        if missing := missing_files(output_dir):
            raise ValueError(
                f"{output_dir} holds no {' and no '.join(missing)}. Add what is missing, or empty "
                f"the directory to have {gguf_path.name} unpacked there."
            )
        return False
    if not gguf_path.is_file():
        raise FileNotFoundError(f"No GGUF file at {gguf_path}; name one with --gguf.")
    output_dir.parent.mkdir(parents=True, exist_ok=True)
    temporary_dir = Path(
        tempfile.mkdtemp(prefix=f".{output_dir.name}.", suffix=".partial", dir=output_dir.parent)
    )
    try:
        _write(gguf_path, temporary_dir)
        if missing := missing_files(temporary_dir):
            raise ValueError(f"{gguf_path.name} gave no {', '.join(missing)}.")
        temporary_dir.chmod(0o755)
        for path in temporary_dir.iterdir():
            path.chmod(0o644)
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
    logger.info("%s: %s", arguments.output, "written" if written else "holds a model already")
    return 0


if __name__ == "__main__":
    sys.exit(main())
