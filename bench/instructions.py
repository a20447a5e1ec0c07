"""Whether instructions that code can check are followed (IFEval: Zhou et al. 2023, 2311.07911).

`ifeval.jsonl`: `{"key", "prompt", "instruction_id_list", "kwargs"}`. The checks are those of
`if-verifiable`. What needs a downloaded sentence splitter is left out, and counted.
"""

import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# Their checks load NLTK's sentence splitter, which no package ships.
UNCHECKED = {"length_constraints:number_sentences", "change_case:capital_word_frequency"}


@dataclass(frozen=True)
class Instruction:
    """A prompt and what its answer must be like."""

    prompt: str
    names: tuple[str, ...]
    options: tuple[dict[str, Any], ...]

    def followed(self, answer: str) -> bool:
        """Whether an answer does all that the prompt asks for (IFEval's strict accuracy)."""
        from if_verifiable import evaluate_output_for_sample
        from if_verifiable.types import IFEvalSample

        sample = IFEvalSample(0, self.prompt, list(self.names), list(self.options))
        _, scores = evaluate_output_for_sample("ifeval", sample, answer)
        return bool(scores.binary_strict)


def read_instructions(folder: Path, count: int) -> list[Instruction]:
    """The first so many that can be checked here.

    Raises:
        ImportError: If the checks are not installed.
    """
    path = folder / "ifeval.jsonl"
    if count == 0 or not path.exists():
        return []
    if find_spec("if_verifiable") is None:
        raise ImportError("if-verifiable is missing: `make bench-facts` installs it.")
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return [
        Instruction(row["prompt"], tuple(row["instruction_id_list"]), tuple(row["kwargs"]))
        for row in rows
        if not UNCHECKED.intersection(row["instruction_id_list"])
    ][:count]
