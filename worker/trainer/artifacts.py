"""What a run leaves behind: the adapter, its manifest and its probe.

The manifest holds no time and no path, so the same job gives the same bytes.
"""

import hashlib
import json
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import cast

from peft import LoraConfig, get_peft_model_state_dict
from safetensors.torch import save_file

from worker.trainer.data import TokenSequence, pack
from worker.trainer.job import TrainJob
from worker.trainer.loss import target_losses
from worker.trainer.model import Student
from worker.trainer.train import Outcome

LIBRARIES = ("peft", "safetensors", "torch", "transformers")


def save_adapter(student: Student, output_dir: Path, base_name: str) -> None:
    """Write `adapter_config.json` and `adapter_model.safetensors` with PEFT's names, float32.

    Args:
        student: Its adapter is saved.
        output_dir: An existing directory.
        base_name: Stands for the base in the configuration; a local path would leak into what
            is published.
    """
    state = get_peft_model_state_dict(student.model, save_embedding_layers=False)
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    save_file(tensors, output_dir / "adapter_model.safetensors", metadata={"format": "pt"})
    config = cast(LoraConfig, student.model.peft_config["default"])
    config.base_model_name_or_path = base_name
    config.inference_mode = True
    # PEFT keeps a set, whose order changes from run to run.
    config.target_modules = sorted(config.target_modules or ())
    config.save_pretrained(str(output_dir))


def write_probe(
    student: Student, seeds: Sequence[TokenSequence], output_dir: Path, *, num_items: int
) -> None:
    """Write `probe.json`: what a server must compute if it really applies the adapter.

    Each item has token ids, where the answer begins, and the mean log-probability per answer token
    (nats) under the adapter and under the bare base.
    """
    # Spread over the seeds, so that the items come from different memories.
    stride = max(len(seeds) // max(num_items, 1), 1)
    items = [
        {
            "token_ids": list(sequence.token_ids),
            "num_prompt_tokens": sequence.num_prompt_tokens,
            "adapter_logprob": mean_logprob(student, sequence, adapter=True),
            "base_logprob": mean_logprob(student, sequence, adapter=False),
        }
        for sequence in seeds[::stride][:num_items]
    ]
    _write_json(output_dir / "probe.json", {"items": items})


def mean_logprob(student: Student, sequence: TokenSequence, *, adapter: bool) -> float:
    """Mean log-probability of the answer's tokens, in nats, alone in a row as a server has it."""
    with student.evaluating(adapter=adapter):
        (part,) = pack([sequence], pack_tokens=len(sequence.token_ids))
        part = part.to(student.device)
        loss_N = target_losses(student.head, student.hidden(part), part.target_N)
    return -float(loss_N.mean())


def write_manifest(job: TrainJob, outcome: Outcome, base_dtype: str, output_dir: Path) -> None:
    """Write `manifest.json`: checksums of every input, the recipe, versions and final losses."""
    manifest = {
        "base": {"name": job.base_name, "files": _checksums(job.base_path)},
        "parent": None
        if job.parent_adapter_path is None
        else {"files": _checksums(job.parent_adapter_path)},
        "inputs": {
            "examples": _sha256_json([e.model_dump(mode="json") for e in job.examples]),
            "dreams": _sha256_json([d.model_dump(mode="json") for d in job.dreams]),
            "num_examples": {
                kind: sum(e.kind == kind for e in job.examples)
                for kind in ("seed", "replay", "contrast")
            },
            "num_dreams": len(job.dreams),
            "memory_ids": sorted({e.memory_id for e in job.examples if e.memory_id}),
        },
        "recipe": job.recipe.model_dump(mode="json"),
        "result": {
            "num_steps": outcome.num_steps,
            "num_tokens": outcome.num_tokens,
            "base_dtype": base_dtype,
            "seed_loss": outcome.seed_loss,
            "kl": outcome.kl,
            "drift": outcome.drift,
        },
        "versions": {
            "python": platform.python_version(),
            **{library: version(library) for library in LIBRARIES},
        },
        "files": _checksums(output_dir),
    }
    _write_json(output_dir / "manifest.json", manifest)


def _checksums(directory: Path) -> dict[str, str]:
    return {path.name: _sha256_file(path) for path in sorted(directory.iterdir()) if path.is_file()}


def _sha256_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sha256_json(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n")
