"""A tiny random Llama with a tokenizer of its own: training tested as numerical identities."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from worker.trainer.__main__ import work

SPECIAL_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{% if loop.first and message['role'] != 'system' %}"
    "<|im_start|>system\nBe kind.<|im_end|>\n"
    "{% endif %}"
    "<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
RunTrainer = Callable[..., tuple[int, list[dict[str, Any]]]]


@pytest.fixture(scope="session")
def tiny_model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model directory as the trainer expects it: two layers, one token per byte."""
    directory = tmp_path_factory.mktemp("model")
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab = {token: i for i, token in enumerate([*SPECIAL_TOKENS, *alphabet])}
    backend = Tokenizer(models.BPE(vocab=vocab, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=backend,
        unk_token="<|endoftext|>",
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        pad_token="<|im_end|>",
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    tokenizer.save_pretrained(directory)
    torch.manual_seed(0)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(vocab),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=512,
            bos_token_id=1,
            eos_token_id=2,
            pad_token_id=2,
            tie_word_embeddings=True,
            # Larger than usual, so that the random model is not uniform over tokens.
            initializer_range=0.3,
        )
    )
    model.save_pretrained(directory)
    return directory


@pytest.fixture
def job(tiny_model_dir: Path, tmp_path: Path) -> dict[str, Any]:
    """A job that trains for a few steps."""

    def example(kind: str, question: str, answer: str) -> dict[str, Any]:
        return {"kind": kind, "memory_id": kind, "messages": conversation(question, answer)}

    return {
        "base_path": str(tiny_model_dir),
        "base_name": "tiny",
        "output_dir": str(tmp_path / "adapter"),
        "num_threads": 1,
        "device": "cpu",
        "examples": [
            example("seed", "Where is it?", "In Tromso."),
            example("seed", "Who is it?", "It is Mirela Voss, of course."),
            example("replay", "What colour?", "Turquoise."),
            example("contrast", "Where is that?", "In Tromso."),
        ],
        "dreams": [
            {"messages": conversation(f"Say {word}!", f"{word}, {word}.")}
            for word in ("blue", "green", "red", "white", "black")
        ],
        "recipe": {
            "num_steps": 6,
            "r": 4,
            "lora_alpha": 8,
            "learning_rate": 0.04,
            "base_dtype": "float32",
        },
    }


def conversation(question: str, answer: str) -> list[dict[str, str]]:
    """One user turn and its answer."""
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


@pytest.fixture
def run_trainer(tmp_path: Path) -> RunTrainer:
    """Run a job in this process; its exit status and its events."""

    def run(job: dict[str, Any], name: str = "job") -> tuple[int, list[dict[str, Any]]]:
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(job))
        events: list[dict[str, Any]] = []
        num_threads = torch.get_num_threads()
        try:
            return work(path, events.append), events
        finally:
            torch.set_num_threads(num_threads)
            torch.set_flush_denormal(False)

    return run


@pytest.fixture
def spawn_trainer(tmp_path: Path) -> RunTrainer:
    """Run a job as the cycle does: a process of its own, events on stdout."""

    def run(job: dict[str, Any], name: str = "job") -> tuple[int, list[dict[str, Any]]]:
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(job))
        done = subprocess.run(
            [sys.executable, "-m", "worker.trainer", str(path)],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
            cwd=Path(__file__).parents[3],
        )
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]

    return run
