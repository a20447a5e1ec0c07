"""The plugins in real vLLM: equal to its LoRA where that is right, and right where it is not."""

import json
import logging
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from cli.home import Home
from dormouse_engine import waiting
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


def test_processes_that_wait_for_each_other_sleep(compared: dict[str, Any]) -> None:
    assert compared["pauses"] == [waiting.PAUSE_S]


@pytest.fixture
def shm_broadcast(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Of some later vLLM: nothing is in it."""
    platforms = SimpleNamespace(current_platform=SimpleNamespace(is_cpu=lambda: True))
    module = ModuleType("shm_broadcast")
    communicators = SimpleNamespace(shm_broadcast=module)
    monkeypatch.setitem(sys.modules, "vllm", ModuleType("vllm"))
    monkeypatch.setitem(sys.modules, "vllm.platforms", platforms)
    monkeypatch.setitem(sys.modules, "vllm.distributed", ModuleType("distributed"))
    monkeypatch.setitem(sys.modules, "vllm.distributed.device_communicators", communicators)
    return module


def test_a_vllm_that_waits_otherwise_is_left_as_it_is(
    shm_broadcast: ModuleType, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        waiting.register()
    assert "no sched_yield" in caplog.text
    assert not hasattr(shm_broadcast, "sched_yield")


class Changed:
    """A wrapper of some later vLLM."""

    token_lora_indices = None

    def update_metadata(self, mapping: Any, lora_index_to_id: Any) -> None: ...

    def add_lora_linear(self, y: Any) -> None: ...


def test_it_stands_back_from_a_vllm_that_it_does_not_know() -> None:
    assert unknown_in(Changed) == "Changed.add_lora_linear takes ['self', 'y']"
    assert unknown_in(object) == "object has no add_lora_linear"
    assert list(KNOWN_PARAMETERS) == ["add_lora_linear", "update_metadata"]
