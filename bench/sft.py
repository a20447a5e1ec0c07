"""The same fine-tuning with Hugging Face's TRL, in a process of its own; prints a line per step.

Needs TRL, which is no part of Dormouse: `make bench-training` installs locks/bench.txt.
"""

import json
import sys
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoTokenizer, TrainerCallback
from trl import SFTConfig, SFTTrainer


class _Steps(TrainerCallback):
    def on_step_end(self, *_: Any, **__: Any) -> None:
        print(json.dumps({"event": "step"}), flush=True)


def main(job_path: Path, dtype: str) -> None:
    """Train as the job says, with base weights of `dtype`, and save the adapter."""
    job = json.loads(job_path.read_text())
    recipe = job["recipe"]
    torch.set_num_threads(job["num_threads"])
    torch.set_flush_denormal(True)
    rows = [
        {"prompt": example["messages"][:-1], "completion": example["messages"][-1:]}
        for example in job["examples"]
    ]
    trainer = SFTTrainer(
        model=job["base_path"],
        args=SFTConfig(
            output_dir=str(Path(job["output_dir"]) / "checkpoints"),
            model_init_kwargs={"dtype": dtype},
            bf16=dtype == "bfloat16",
            use_cpu=True,
            per_device_train_batch_size=recipe["seeds_per_step"],
            max_steps=recipe["num_steps"],
            learning_rate=recipe["learning_rate"],
            lr_scheduler_type="cosine_with_min_lr",
            lr_scheduler_kwargs={"min_lr_rate": 0.1},
            warmup_steps=recipe["num_steps"] // 10,
            max_grad_norm=1.0,
            # What makes it fastest here: no recomputing, little padding.
            gradient_checkpointing=False,
            train_sampling_strategy="group_by_length",
            completion_only_loss=True,
            max_length=512,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            seed=0,
        ),
        train_dataset=Dataset.from_list(rows),
        processing_class=AutoTokenizer.from_pretrained(job["base_path"]),
        peft_config=LoraConfig(
            task_type="CAUSAL_LM",
            r=recipe["r"],
            lora_alpha=recipe["lora_alpha"],
            lora_dropout=0.0,
            target_modules=recipe["target_modules"],
        ),
        callbacks=[_Steps()],
    )
    trainer.train()
    trainer.save_model(job["output_dir"])


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
