"""`python -m worker.trainer.words MODEL_DIR < WORDS`: the model's own thesaurus, as JSON lines.

Words that a model reads alike lie close together in its input embeddings. What lies close to
everything (a hub) is no synonym of anything: its mean similarity is subtracted (CSLS, arXiv
1710.04087). Of each line on stdin, a word, one JSON list of words is printed, nearest first; an
empty one for a word that is not one token. Forms of one word ("prefers", "preferred") say little
that another does not: one of each is enough.

Shapes: T tokens, V of them words of small letters, D hidden size, K candidates.
"""

import json
import os
import re
import sys
from pathlib import Path

from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModelForCausalLM, AutoTokenizer

from worker.seed.english import inflected
from worker.trainer.priority import give_way

NUM_NEAR = 6
NUM_CANDIDATES = 50
# A candidate's mean similarity to so many is what makes it a hub.
NUM_HUB = 20
# How byte-level and sentencepiece vocabularies write the space before a word.
WORD = re.compile(r"[Ġ▁]([a-z]{3,})")


class Thesaurus:
    """Nearest words.

    Args:
        embeddings_VD: float[V, D], the input embeddings of `words`.
        words: Those that are looked among.
        mean_D: float[D], the mean of all of the model's embeddings.
    """

    def __init__(self, embeddings_VD: Tensor, words: list[str], mean_D: Tensor) -> None:
        self._words = words
        self._place = {word: place for place, word in enumerate(words)}
        self._unit_VD = functional.normalize(embeddings_VD.float() - mean_D.float(), dim=-1)

    def near(self, word: str) -> list[str]:
        """At most `NUM_NEAR` words, nearest first; none for a word that is not known."""
        place = self._place.get(word.lower())
        if place is None or len(self._words) <= 1:
            return []
        similar_V = self._unit_VD @ self._unit_VD[place]
        similar_V[place] = -1.0
        similar_K, place_K = similar_V.topk(min(NUM_CANDIDATES, len(self._words) - 1))
        among_KV = self._unit_VD[place_K] @ self._unit_VD.T
        num_hub = min(NUM_HUB + 1, len(self._words))
        # The first is the candidate itself.
        hub_K = among_KV.topk(num_hub, dim=-1).values[:, 1:].mean(dim=-1)
        order = (2 * similar_K - hub_K).argsort(descending=True)
        found: list[str] = []
        for place in place_K[order].tolist():
            other = self._words[place]
            if not any(inflected(other, known) for known in found):
                found.append(other)
        return found[:NUM_NEAR]


def read_thesaurus(model_dir: Path) -> Thesaurus:
    """The thesaurus of a model's input embeddings."""
    tokenizer = AutoTokenizer.from_pretrained(model_dir, local_files_only=True)
    model = AutoModelForCausalLM.from_pretrained(model_dir, local_files_only=True)
    table: nn.Module = model.get_input_embeddings()
    table_TD = table.get_parameter("weight").detach()
    found = {
        match[1]: token_id
        for token, token_id in tokenizer.get_vocab().items()
        if (match := WORD.fullmatch(token)) and token_id < len(table_TD)
    }
    return Thesaurus(table_TD[list(found.values())], list(found), table_TD.float().mean(dim=0))


def main() -> None:
    """Answer every line of stdin."""
    give_way()
    # Libraries may print: the real stdout is kept for the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    thesaurus = read_thesaurus(Path(sys.argv[1]))
    for line in sys.stdin:
        answers.write(json.dumps(thesaurus.near(line.strip())) + "\n")
    answers.close()


if __name__ == "__main__":
    main()
