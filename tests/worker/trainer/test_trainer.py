"""Whole runs on a tiny random model."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import LlamaForCausalLM

from tests.worker.trainer.conftest import RunTrainer
from worker.trainer.__main__ import work
from worker.trainer.job import Recipe

# PEFT asks transformers by a name that is on its way out.
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")


def weights(adapter_dir: Path) -> dict[str, torch.Tensor]:
    return load_file(adapter_dir / "adapter_model.safetensors")


def mean_logprob(model: torch.nn.Module, item: dict[str, Any]) -> float:
    ids_T = torch.tensor(item["token_ids"])
    start = item["num_prompt_tokens"]
    with torch.no_grad():
        logp_TV = torch.log_softmax(model(input_ids=ids_T[None]).logits[0], dim=-1)
    return float(logp_TV[start - 1 : -1].gather(1, ids_T[start:, None]).mean())


def test_a_run_tells_its_steps_and_lowers_the_loss(
    job: dict[str, Any], spawn_trainer: RunTrainer
) -> None:
    job["recipe"] |= {"num_steps": 60, "kl_weight": 1, "contrast_weight": 0.7}
    status, events = spawn_trainer(job)
    assert status == 0
    steps = [event for event in events if event["event"] == "step"]
    assert [event["step"] for event in steps] == list(range(1, 61))
    assert {"num_steps", "loss", "seed_loss", "kl", "tokens_per_s"} <= steps[0].keys()
    assert events[-1]["event"] == "done"
    assert steps[-1]["seed_loss"] < 0.7 * steps[0]["seed_loss"]


def test_the_first_step_begins_at_the_pre_sleep_model(
    job: dict[str, Any], run_trainer: RunTrainer
) -> None:
    _, events = run_trainer(job)
    assert events[0]["kl"] == pytest.approx(0, abs=1e-5)
    assert events[3]["kl"] > 1e-5


def test_the_same_job_gives_the_same_bytes(
    job: dict[str, Any], spawn_trainer: RunTrainer, tmp_path: Path
) -> None:
    other = {**job, "output_dir": str(tmp_path / "other")}
    assert spawn_trainer(job, "one")[0] == spawn_trainer(other, "two")[0] == 0
    for name in ("adapter_config.json", "adapter_model.safetensors", "manifest.json", "probe.json"):
        one, two = tmp_path / "adapter" / name, tmp_path / "other" / name
        assert one.read_bytes() == two.read_bytes(), name


def test_the_saved_adapter_gives_the_probes_logprobs(
    job: dict[str, Any], run_trainer: RunTrainer, tiny_model_dir: Path, tmp_path: Path
) -> None:
    assert run_trainer(job)[0] == 0
    items = json.loads((tmp_path / "adapter" / "probe.json").read_text())["items"]
    assert len(items) == 2
    base = LlamaForCausalLM.from_pretrained(tiny_model_dir).eval()  # type: ignore[no-untyped-call]
    for item in items:
        assert mean_logprob(base, item) == pytest.approx(item["base_logprob"], abs=1e-4)
    model = PeftModel.from_pretrained(base, str(tmp_path / "adapter")).eval()
    for item in items:
        assert mean_logprob(model, item) == pytest.approx(item["adapter_logprob"], abs=1e-4)
        assert item["adapter_logprob"] > item["base_logprob"] + 0.05


def test_what_is_saved_holds_no_local_path(
    job: dict[str, Any], run_trainer: RunTrainer, tiny_model_dir: Path, tmp_path: Path
) -> None:
    assert run_trainer(job)[0] == 0
    adapter_dir = tmp_path / "adapter"
    config = json.loads((adapter_dir / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "tiny"
    assert config["r"] == 4
    for name in ("adapter_config.json", "manifest.json", "probe.json"):
        assert str(tiny_model_dir.parent) not in (adapter_dir / name).read_text()
    manifest = json.loads((adapter_dir / "manifest.json").read_text())
    assert manifest["inputs"]["num_examples"] == {"seed": 2, "replay": 1, "contrast": 1}
    assert "model.safetensors" in manifest["base"]["files"]
    assert manifest["parent"] is None
    assert not list(tmp_path.glob(".*.partial"))


def test_a_warm_start_begins_at_the_parents_weights_and_is_held_to_the_base(
    job: dict[str, Any], run_trainer: RunTrainer, tmp_path: Path
) -> None:
    assert run_trainer({**job, "output_dir": str(tmp_path / "parent")}, "parent")[0] == 0
    # With hardly any step taken, the child is the parent.
    child = {**job, "parent_adapter_path": str(tmp_path / "parent")}
    child["recipe"] = {**job["recipe"], "num_steps": 1, "learning_rate": 1e-9}
    status, events = run_trainer(child, "child")
    assert status == 0
    assert events[0]["kl"] > 1e-4
    parent_weights, child_weights = weights(tmp_path / "parent"), weights(tmp_path / "adapter")
    assert parent_weights.keys() == child_weights.keys()
    for name, parent_weight in parent_weights.items():
        torch.testing.assert_close(child_weights[name], parent_weight, atol=1e-6, rtol=1e-5)
    manifest = json.loads((tmp_path / "adapter" / "manifest.json").read_text())
    assert "adapter_model.safetensors" in manifest["parent"]["files"]


def test_dreams_may_be_held_to_the_parent_instead(
    job: dict[str, Any], run_trainer: RunTrainer, tmp_path: Path
) -> None:
    assert run_trainer({**job, "output_dir": str(tmp_path / "parent")}, "parent")[0] == 0
    child = {**job, "parent_adapter_path": str(tmp_path / "parent")}
    child["recipe"] = {**job["recipe"], "num_steps": 1, "dream_teacher": "parent"}
    _, events = run_trainer(child, "child")
    assert events[0]["kl"] == pytest.approx(0, abs=1e-5)


def test_a_parent_of_another_rank_is_refused(
    job: dict[str, Any], run_trainer: RunTrainer, tmp_path: Path
) -> None:
    assert run_trainer({**job, "output_dir": str(tmp_path / "parent")}, "parent")[0] == 0
    job["parent_adapter_path"] = str(tmp_path / "parent")
    job["recipe"]["r"] = 8
    status, events = run_trainer(job)
    assert status != 0
    assert "parent adapter has r=4" in events[-1]["message"]


def test_a_killed_run_goes_on_behind_its_checkpoint_and_ends_with_the_same_bytes(
    job: dict[str, Any], run_trainer: RunTrainer, tmp_path: Path
) -> None:
    # Killed within a window of replays that were chosen by the weights before it.
    job["recipe"] |= {"num_steps": 7, "checkpoint_steps": 2, "replays_per_step": 1}
    replay = next(example for example in job["examples"] if example["kind"] == "replay")
    for colour in ("Teal", "Beige", "Olive", "Indigo", "Maroon", "Crimson"):
        messages = [replay["messages"][0], {"role": "assistant", "content": colour}]
        job["examples"].append({**replay, "messages": messages})
    assert run_trainer({**job, "output_dir": str(tmp_path / "whole")})[0] == 0
    kept = {**job, "checkpoint_path": str(tmp_path / "checkpoint.pt")}
    path = tmp_path / "killed.json"
    path.write_text(json.dumps(kept))

    def killed_in_step_5(event: dict[str, object]) -> None:
        if event.get("step") == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work(path, killed_in_step_5)
    status, events = run_trainer(kept)
    assert status == 0
    assert [event["step"] for event in events if event["event"] == "step"] == [5, 6, 7]
    for name in ("adapter_model.safetensors", "probe.json"):
        whole, resumed = tmp_path / "whole" / name, tmp_path / "adapter" / name
        assert whole.read_bytes() == resumed.read_bytes(), name


def test_a_checkpoint_of_another_job_or_a_broken_one_is_ignored(
    job: dict[str, Any], run_trainer: RunTrainer, tmp_path: Path
) -> None:
    path = tmp_path / "checkpoint.pt"
    job["checkpoint_path"] = str(path)
    assert run_trainer(job)[0] == 0
    other = {**job, "output_dir": str(tmp_path / "other"), "examples": job["examples"][:2]}
    _, events = run_trainer(other)
    assert events[0]["step"] == 1
    for number, content in enumerate((b"", path.read_bytes()[:-100], b"nonsense")):
        path.write_bytes(content)
        status, events = run_trainer({**job, "output_dir": str(tmp_path / f"{number}")})
        assert (status, events[0]["step"]) == (0, 1)


def test_a_loss_that_is_not_finite_ends_the_run_without_output(
    job: dict[str, Any], run_trainer: RunTrainer, tmp_path: Path
) -> None:
    job["recipe"] |= {"learning_rate": 1e30, "max_grad_norm": 1e30, "num_steps": 20}
    status, events = run_trainer(job)
    assert status != 0
    assert events[-1]["event"] == "error"
    assert "not finite" in events[-1]["message"]
    assert not (tmp_path / "adapter").exists()
    assert not list(tmp_path.glob(".*.partial"))


def test_dreams_that_all_are_too_long_are_refused(
    job: dict[str, Any], run_trainer: RunTrainer
) -> None:
    job["recipe"]["max_dream_length"] = 8
    status, events = run_trainer(job)
    assert status != 0
    assert "max_dream_length=8" in events[-1]["message"]


def test_the_steps_grow_with_the_lessons_within_bounds() -> None:
    recipe = Recipe()
    assert recipe.steps_for(1) == recipe.min_num_steps
    assert recipe.min_num_steps < recipe.steps_for(300) < recipe.steps_for(400)
    assert recipe.steps_for(10**6) == recipe.max_num_steps
    assert Recipe(num_steps=7).steps_for(160) == 7


def test_few_seeds_get_a_smaller_learning_rate() -> None:
    recipe = Recipe(learning_rate=2e-3, warm_start_ratio=0.5)
    rates = [recipe.learning_rate_for(n, warm_start=False) for n in (100, 400, 1000)]
    assert rates == pytest.approx([1e-3, 2e-3, 2e-3])
    assert recipe.learning_rate_for(100, warm_start=True) == pytest.approx(5e-4)


def test_dreams_weigh_more_beside_few_seeds() -> None:
    recipe = Recipe(kl_weight=3)
    weights = [recipe.kl_weight_for(n) for n in (1, 100, 225, 400, 1000)]
    assert weights == pytest.approx([6, 6, 4, 3, 3])


def test_few_seeds_are_not_repeated_more_often_than_many() -> None:
    recipe = Recipe()
    for num_seeds in (24, 52, 104, 180, 240):
        seen = recipe.seeds_in_step(num_seeds) * recipe.steps_for(num_seeds) / num_seeds
        assert recipe.num_passes <= seen <= recipe.num_passes + 2
    assert recipe.seeds_in_step(240) == recipe.seeds_per_step
    assert recipe.seeds_in_step(1) == 1


def test_dreams_leave_places_to_replays_only_where_there_are_some() -> None:
    recipe = Recipe(replays_per_step=7, dreams_per_step=12, dreams_beside_replays=8)
    assert [recipe.replays_in_step(n) for n in (0, 2, 100)] == [0, 2, 7]
    assert [recipe.dreams_in_step(n) for n in (0, 2, 100)] == [12, 8, 8]
    assert Recipe(replays_per_step=0, dreams_per_step=12).dreams_in_step(100) == 12
    assert Recipe(dreams_per_step=0).dreams_in_step(100) == 0


def test_an_adapter_is_never_overwritten(
    job: dict[str, Any], run_trainer: RunTrainer, tmp_path: Path
) -> None:
    (tmp_path / "adapter").mkdir()
    status, events = run_trainer(job)
    assert status != 0
    assert "never overwritten" in events[-1]["message"]


def test_a_job_that_cannot_be_read_is_an_error_event(spawn_trainer: RunTrainer) -> None:
    status, events = spawn_trainer({"base_path": "/nowhere"})
    assert status != 0
    assert events[-1]["event"] == "error"


def test_the_trainer_ends_when_its_parent_dies(job: dict[str, Any], tmp_path: Path) -> None:
    job["recipe"]["num_steps"] = 100_000
    path, log = tmp_path / "job.json", tmp_path / "events.jsonl"
    path.write_text(json.dumps(job))
    # A parent that starts the trainer, says its process id and is killed.
    code = (
        "import subprocess, sys, time\n"
        f"p = subprocess.Popen([sys.executable, '-m', 'worker.trainer', {str(path)!r}],"
        f" stdout=open({str(log)!r}, 'w'), stderr=subprocess.DEVNULL, start_new_session=True)\n"
        "print(p.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert parent.stdout is not None
    trainer_pid = int(parent.stdout.readline())
    try:
        wait_until(lambda: log.exists() and '"step"' in log.read_text(), timeout_s=120)
        parent.kill()
        parent.wait()
        parent.stdout.close()
        wait_until(lambda: '"error"' in log.read_text(), timeout_s=60)
        assert "parent process is gone" in log.read_text().splitlines()[-1]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(trainer_pid, signal.SIGKILL)


def wait_until(condition: Any, *, timeout_s: float) -> None:
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, "nothing happened in time"
        time.sleep(0.1)
