"""The plugin inside real vLLM: equal to its LoRA where that is right, and right where it is not."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cli.home import Home
from dormouse_engine.plugin import KNOWN_PARAMETERS, unknown_in

# bfloat16 keeps eight bits; two products are rounded, in another order.
TOLERANCE = 2**-6


@pytest.fixture(scope="module")
def compared() -> dict[str, Any]:
    """What `against_vllm.py` found."""
    script = Path(__file__).with_name("against_vllm.py")
    done = subprocess.run(
        [Home.at().engine_python, script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_it_computes_what_vllm_computes(compared: dict[str, Any]) -> None:
    assert set(compared["difference"]) == {"decode", "prefill", "one"}
    assert max(compared["difference"].values()) < TOLERANCE
    assert compared["mixed_adapted"] < TOLERANCE


def test_the_bases_tokens_get_no_adapter_in_a_mixed_batch(compared: dict[str, Any]) -> None:
    assert compared["ours_on_base"] == 0
    # Once this fails, vLLM has mended it, and one reason for the plugin is gone.
    assert compared["theirs_on_base"] > 0


class Changed:
    """A wrapper of some later vLLM."""

    token_lora_indices = None

    def update_metadata(self, mapping: Any, lora_index_to_id: Any) -> None: ...

    def add_lora_linear(self, y: Any) -> None: ...


def test_it_stands_back_from_a_vllm_that_it_does_not_know() -> None:
    assert unknown_in(Changed) == "Changed.add_lora_linear takes ['self', 'y']"
    assert unknown_in(object) == "object has no add_lora_linear"
    assert list(KNOWN_PARAMETERS) == ["add_lora_linear", "update_metadata"]
