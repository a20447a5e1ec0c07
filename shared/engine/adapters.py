"""Load an adapter into the engine and prove that it acts.

A 200 from a load call is no proof: an adapter whose modules do not match is applied nowhere, and
the base answers in its name. So the engine's log-probabilities are compared with those that the
trainer saw with the adapter and without it.
"""

import asyncio
import math
from statistics import fmean

from shared.contracts.adapters import AdapterFile, ProbeItem
from shared.engine.adapter_files import read_probe, verify
from shared.engine.client import EngineClient
from shared.errors import AdapterNotAppliedError, EngineRejectedError

# Nats per token between the trainer's float32 and the engine's bfloat16, measured well below this.
MAX_DEVIATION = 0.25


async def load_and_probe(engine: EngineClient, adapter: AdapterFile) -> None:
    """Make the engine answer on the adapter's name, and prove that it does so with it.

    Loading twice is harmless: names are unique and their content never changes.

    Raises:
        AdapterFileError: If the files are not what was recorded.
        EngineRejectedError: If the engine refuses the adapter.
        EngineUnavailableError: If the engine is away.
        AdapterNotAppliedError: If it loads and does not act.
    """
    await asyncio.to_thread(verify, adapter)
    probe = read_probe(adapter)
    if adapter.engine_name not in await engine.models():
        await _load_once(engine, adapter)
    await probe_adapter(engine, adapter, probe.items)


async def _load_once(engine: EngineClient, adapter: AdapterFile) -> None:
    try:
        await engine.load_adapter(adapter.engine_name, adapter.path)
    except EngineRejectedError:
        # Somebody else may have loaded it between our look and our call.
        if adapter.engine_name not in await engine.models():
            raise


async def probe_adapter(engine: EngineClient, adapter: AdapterFile, items: list[ProbeItem]) -> None:
    """Compare the engine's log-probabilities with the trainer's.

    Raises:
        AdapterNotAppliedError: If they are nearer to the base's, far from the trainer's, or not
            numbers; or if the adapter differs from the base nowhere.
    """
    found = await asyncio.gather(
        *(answer_logprob(engine, adapter.engine_name, item) for item in items)
    )
    if not items or not all(math.isfinite(value) for value in found):
        raise AdapterNotAppliedError(
            f"Adapter version {adapter.version} gives log-probabilities that are not numbers."
        )
    with_adapter = fmean(abs(a - b.adapter_logprob) for a, b in zip(found, items, strict=True))
    with_base = fmean(abs(a - b.base_logprob) for a, b in zip(found, items, strict=True))
    if with_adapter > MAX_DEVIATION or with_adapter >= with_base:
        raise AdapterNotAppliedError(
            f"Adapter version {adapter.version} is loaded but does not act as trained: "
            f"{with_adapter:.3f} nats per token from the trainer's values, {with_base:.3f} from "
            "the bare base's."
        )


async def answer_logprob(engine: EngineClient, model: str, item: ProbeItem) -> float:
    """The mean log-probability of the item's answer tokens, nats per token."""
    values = await engine.logprobs(model, item.token_ids)
    return fmean(values[item.num_prompt_tokens - 1 :])
