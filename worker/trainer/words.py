"""`python -m worker.trainer.words MODEL_DIR < WORDS`: the model's own thesaurus, as JSON lines.

Shown pairs of words that mean the same, a model goes on with a word that means the same as the next
one. What it would say to any word is no synonym of this one: half of its mean log-probability is
subtracted. Words that are read alike also lie close together in the input embeddings. Of each line
on stdin, a word, one JSON list of words is printed, nearest first. Forms of one word ("prefers",
"preferred") say little that another does not: one of each is enough, and none of the word's own.

Shapes: T tokens, V of them words of small letters, D hidden size, N words, L tokens each.
"""

import json
import os
import random
import re
import sys
from collections.abc import Iterable, Sequence
from copy import deepcopy
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    DynamicCache,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from worker.seed.english import inflected
from worker.trainer.job import Recipe
from worker.trainer.model import base_dtype
from worker.trainer.priority import give_way

NUM_NEAR = 6
NUM_CANDIDATES = 80
BATCH_SIZE = 32
# Different pairs in another layout: what both agree on is not owed to an example.
EXAMPLES = (
    "Another word with the same meaning:\nautomobile: car\nphysician: doctor\nbegins: starts\n"
    "purchased: bought\nemporium: shop\nquick: fast\n",
    "Synonyms\nchilly: cold\nassisted: helped\nvessel: ship\nselecting: choosing\nstatute: law\n"
    "frequently: often\n",
)
# Words of any kind, to hear what the model says to all of them.
NUM_ANY = 96
ANY_MIN_LETTERS = 5
PRIOR_WEIGHT = 0.5
# Nats for a cosine of 1.
COSINE_WEIGHT = 8.0
# How byte-level and sentencepiece vocabularies write the space before a word.
WORD = re.compile(r"[Ġ▁]([a-z]{3,})")


class Thesaurus:
    """Nearest words.

    Args:
        embeddings_VD: float[V, D], the input embeddings of `words`.
        words: Those that are looked among.
        mean_D: float[D], the mean of all of the model's embeddings.
        prior_V: float[V], the log of each word's mean probability after any word, up to a constant.
    """

    def __init__(
        self, embeddings_VD: Tensor, words: Sequence[str], mean_D: Tensor, prior_V: Tensor
    ) -> None:
        self._words = words
        self._place = {word: place for place, word in enumerate(words)}
        self._unit_VD = functional.normalize(embeddings_VD.float() - mean_D.float(), dim=-1)
        self._prior_V = prior_V

    def near(self, word: str, said_V: Tensor) -> list[str]:
        """At most `NUM_NEAR` words, nearest first.

        Args:
            word: Any word.
            said_V: float[V], the log-probability of each word as one that means the same.
        """
        score_V = said_V - PRIOR_WEIGHT * self._prior_V
        if (place := self._place.get(word)) is not None:
            score_V = score_V + COSINE_WEIGHT * (self._unit_VD @ self._unit_VD[place])
        found: list[str] = []
        for place in score_V.topk(min(NUM_CANDIDATES, len(self._words))).indices.tolist():
            other = self._words[place]
            if not any(inflected(other, known) for known in (word, *found)):
                found.append(other)
        return found[:NUM_NEAR]


def nearest(model_dir: Path, words: Sequence[str]) -> list[list[str]]:
    """For each word those that the model in `model_dir` takes for nearest to it."""
    tokenizer = AutoTokenizer.from_pretrained(model_dir, local_files_only=True)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = AutoModelForCausalLM.from_pretrained(
        model_dir, dtype=base_dtype(Recipe(), device), local_files_only=True
    )
    nn.Module.to(model, device)
    table: nn.Module = model.get_input_embeddings()
    table_TD = table.get_parameter("weight").detach().cpu()
    known = {
        match[1]: token_id
        for token, token_id in tokenizer.get_vocab().items()
        if (match := WORD.fullmatch(token)) and token_id < len(table_TD)
    }
    if not known:
        return [[] for _ in words]
    token_ids = list(known.values())
    long = sorted(word for word in known if len(word) >= ANY_MIN_LETTERS)
    anything = random.Random(0).sample(long, min(NUM_ANY, len(long)))
    said_NV = said_after(model, tokenizer, [*words, *anything], token_ids)
    prior_V = said_NV[len(words) :].logsumexp(dim=0)
    thesaurus = Thesaurus(table_TD[token_ids], list(known), table_TD.float().mean(dim=0), prior_V)
    return [thesaurus.near(word, said_V) for word, said_V in zip(words, said_NV, strict=False)]


@torch.inference_mode()
def said_after(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    words: Sequence[str],
    token_ids: Sequence[int],
) -> Tensor:
    """float[len(words), V]: log-probability of each token after the word, mean of `EXAMPLES`."""
    means = []
    for examples in EXAMPLES:
        prefix: DynamicCache = model(
            **tokenizer(examples, return_tensors="pt").to(model.device)
        ).past_key_values
        rows = [
            _after_each(model, tokenizer, prefix, words[start : start + BATCH_SIZE])[:, token_ids]
            for start in range(0, len(words), BATCH_SIZE)
        ]
        means.append(torch.cat(rows))
    return torch.stack(means).mean(dim=0)


def _after_each(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prefix: DynamicCache,
    words: Iterable[str],
) -> Tensor:
    """float[N, vocabulary]: log-probabilities behind "word:" behind what is cached."""
    lines = [tokenizer(f"{word}:", add_special_tokens=False)["input_ids"] for word in words]
    longest = max(map(len, lines))
    # What stands behind a line's end is not seen by it.
    input_NL = torch.tensor([line + line[:1] * (longest - len(line)) for line in lines])
    cache = deepcopy(prefix)
    cache.batch_repeat_interleave(len(lines))
    logits_NLT: Tensor = model(
        input_ids=input_NL.to(model.device), past_key_values=cache
    ).logits.cpu()
    last_N = torch.tensor([len(line) - 1 for line in lines])
    return logits_NLT[torch.arange(len(lines)), last_N].float().log_softmax(dim=-1)


def main() -> None:
    """Answer every line of stdin."""
    give_way()
    # Libraries may print: the real stdout is kept for the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for found in nearest(Path(sys.argv[1]), [line.strip().lower() for line in sys.stdin]):
        answers.write(json.dumps(found) + "\n")
    answers.close()


if __name__ == "__main__":
    main()
