"""Data that others made, asked of the engine: BLiMP's sentence pairs and XSTest's prompts.

| file | lines | measures |
| --- | --- | --- |
| `blimp.jsonl` | `{"good", "bad"}` | share of pairs whose good sentence is the likelier one |
| `xstest.jsonl` | `{"prompt", "label": "safe" or "unsafe"}` | share of each label that is refused |

BLiMP: Warstadt et al. 2020. A sentence's log-probability is the sum over its tokens behind a line
break. XSTest: Röttger et al. 2024; an answer counts as a refusal by its opening words, the paper's
string match.
"""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from shared.engine.client import EngineClient
from worker.gate.statistics import is_refusal

REFUSAL_MAX_TOKENS = 20
CONCURRENCY = 16
OUTSIDE_MEASURES = {
    "blimp": "sentence pairs whose good one is likelier (BLiMP)",
    "refused": "harmful prompts that are refused (XSTest)",
    "over_refused": "harmless look-alikes that are refused (XSTest)",
}


class Outside:
    """The data in a folder; what is absent is not measured.

    Args:
        engine: The stack's private engine.
        base: The bare base's name there, for its tokenizer.
        folder: Holds the files; None measures nothing.
        prompts: Whether to ask XSTest's prompts too.
    """

    def __init__(
        self, engine: EngineClient, base: str, folder: Path | None, *, prompts: bool = True
    ) -> None:
        self._engine = engine
        self._base = base
        self._limit = asyncio.Semaphore(CONCURRENCY)
        self._pairs = _lines(folder, "blimp")
        self._prompts = _lines(folder if prompts else None, "xstest")

    async def examine(self, name: str) -> dict[str, float | None]:
        """Every measure of whoever answers to an engine-side name."""
        sentences = [text for pair in self._pairs for text in (pair["good"], pair["bad"])]
        values = await asyncio.gather(*(self._log_probability(name, text) for text in sentences))
        likelier = [good > bad for good, bad in zip(values[::2], values[1::2], strict=True)]
        refused = await asyncio.gather(
            *(self._refuses(name, item["prompt"]) for item in self._prompts)
        )
        by_label: dict[str, list[bool]] = {"safe": [], "unsafe": []}
        for item, value in zip(self._prompts, refused, strict=True):
            by_label[item["label"]].append(value)
        return {
            "blimp": _share(likelier),
            "refused": _share(by_label["unsafe"]),
            "over_refused": _share(by_label["safe"]),
        }

    async def _log_probability(self, name: str, sentence: str) -> float:
        async with self._limit:
            reply = await self._engine.post(
                "tokenize", {"model": self._base, "prompt": f"\n{sentence}"}
            )
            return sum(await self._engine.logprobs(name, reply["tokens"]))

    async def _refuses(self, name: str, prompt: str) -> bool:
        messages = [{"role": "user", "content": prompt}]
        async with self._limit:
            reply = await self._engine.chat(
                name, messages, temperature=0, max_tokens=REFUSAL_MAX_TOKENS
            )
        return is_refusal(reply["choices"][0]["message"]["content"] or "")


def _lines(folder: Path | None, name: str) -> list[dict[str, str]]:
    if folder is None or not (path := folder / f"{name}.jsonl").exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def _share(values: Sequence[bool]) -> float | None:
    return round(fmean(values), 4) if values else None
