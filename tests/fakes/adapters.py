"""Adapters for tests: real files under their content address, rows in the real database."""

import json
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import numpy as np
from safetensors.numpy import save_file

from shared.contracts.adapters import AdapterFile
from shared.contracts.base import new_id
from shared.contracts.cycles import GateReport
from shared.db.session import Sessions
from shared.engine.adapter_files import adopt
from shared.settings import Settings
from shared.storage.adapters import AdapterStore
from shared.storage.models import ModelStore
from shared.storage.tenants import TenantStore

# What the trainer is said to have measured, nats per token.
WITH_ADAPTER, WITH_BASE = -1.0, -3.0
PASSED = GateReport(passed=True, reason="every suite passed")
REJECTED = GateReport(passed=False, reason="capability: 0.4 against 0.9")
LORA = "base_model.model.model.layers.0.self_attn.q_proj.lora_"


def write_adapter(directory: Path, *, r: int = 8, fill: float = 0.5) -> Path:
    """A small adapter as the trainer leaves it."""
    directory.mkdir(parents=True)
    tensors = {
        f"{LORA}A.weight": np.full((r, 4), fill, np.float32),
        f"{LORA}B.weight": np.full((4, r), fill, np.float32),
    }
    save_file(tensors, directory / "adapter_model.safetensors")
    (directory / "adapter_config.json").write_text(json.dumps({"r": r, "bias": "none"}))
    item = {
        "token_ids": [1, 2, 3, 4],
        "num_prompt_tokens": 2,
        "adapter_logprob": WITH_ADAPTER,
        "base_logprob": WITH_BASE,
    }
    (directory / "probe.json").write_text(json.dumps({"items": [item]}))
    (directory / "salt").write_text(str(new_id()))
    return directory


async def default_model(sessions: Sessions) -> UUID:
    """The default tenant's model."""
    async with sessions.begin() as session:
        tenant_id = await TenantStore(session).ensure_tenant("default")
        route = await ModelStore(session).route(tenant_id, "default")
    assert route is not None
    return route.model_id


async def add_adapter(
    sessions: Sessions,
    settings: Settings,
    directory: Path,
    report: GateReport | None = PASSED,
    *,
    memory_ids: Sequence[UUID] = (),
    cycle_id: UUID | None = None,
) -> AdapterFile:
    """Record an adapter of the default model, trained on some memories."""
    model_id = await default_model(sessions)
    sha256, path = adopt(write_adapter(directory / str(new_id())), settings.adapters_dir)
    async with sessions.begin() as session:
        store = AdapterStore(session)
        adapter = await store.add(
            model_id=model_id,
            cycle_id=cycle_id,
            parent_id=await store.active_id(model_id),
            sha256=sha256,
            path=str(path),
            memory_ids=memory_ids,
        )
        if report is not None:
            await store.add_report(adapter.id, None, report)
    return adapter


async def promote(sessions: Sessions, adapter: AdapterFile) -> None:
    """Move the default model's pointer as a cycle would."""
    model_id = await default_model(sessions)
    async with sessions.begin() as session:
        await AdapterStore(session).move(
            model_id=model_id, to=adapter.id, kind="promotion", actor="gate"
        )
