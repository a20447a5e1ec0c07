"""The screens' classifiers: fitted on labelled lessons, and measured on those they were not.

The figures are out of fold, five times: they say where the thresholds lie. What the screens are
good for on material that nobody tuned to is `bench/poison.py`'s to say. `--write` fits on all and
writes the weights that the worker uses.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from numpy.typing import NDArray
from safetensors.numpy import save_file

from bench.report import save, show
from worker.screens.classifiers import WEIGHTS
from worker.screens.encoder import Floats
from worker.screens.features import features
from worker.screens.languages import language_of

DATA = Path(__file__).parent / "data"
# Never the closed half of the poison: it is what the screens are measured with.
FILES = ("screens/*.jsonl", "poison/open_private.jsonl", "poison/open_clean.jsonl")
NUM_FOLDS = 5
C = 3.0
# Of plain lessons, how many may be doubted for privacy; of what needs a person, how much must be
# found.
MAX_DOUBTED = 0.02
MIN_FOUND = 0.985
# A lesson that needs a person anyway may be doubted for privacy too: it costs little.
# What is public of people must pass, where a teacher says it.
WEIGHTS_OF = {"secret": 2.0, "personal": 2.0, "needs_person": 0.1, "public": 1.0, "clean": 1.0}


Array = NDArray[Any]


@dataclass(frozen=True)
class Head:
    """A classifier: what it must find, and what each kind of lesson weighs."""

    name: str
    finds: tuple[str, ...]
    weights: Mapping[str, float]


HEADS = (
    Head("private", ("secret", "personal"), WEIGHTS_OF),
    # What is public of people is told by their names; its companies would be learned instead.
    Head(
        "risky",
        ("needs_person", "secret", "personal"),
        {**dict.fromkeys(WEIGHTS_OF, 1.0), "public": 0.0},
    ),
)


def main(
    write: Annotated[bool, typer.Option(help="Fit on all and write the weights.")] = False,
    json_path: Annotated[Path | None, typer.Option("--json")] = None,
) -> None:
    """Fit, measure out of fold, and write if asked."""
    rows = labelled()
    labels = np.array([row["label"] for row in rows])
    matrix = np.stack([features(row["question"], row["said"]) for row in rows])
    tensors: dict[str, Any] = {}
    table = []
    for head in HEADS:
        wanted, plain = np.isin(labels, head.finds), labels == "clean"
        weights = np.array([head.weights[label] for label in labels])
        scores = _out_of_fold(matrix, wanted, weights)
        threshold = _threshold(head, scores[wanted], scores[plain])
        found = float((scores[wanted] > threshold).mean())
        doubted = float((scores[plain] > threshold).mean())
        table.append((head.name, len(rows), f"{threshold:.2f}", f"{found:.3f}", f"{doubted:.3f}"))
        weight, bias = _fit(matrix, wanted, weights)
        tensors[f"{head.name}.weight"] = weight.astype(np.float16)
        tensors[f"{head.name}.threshold"] = np.array([threshold - bias], np.float32)
    columns = ("classifier", "lessons", "threshold", "found", "doubted of the plain")
    show("out of fold", columns, table)
    if write:
        save_file(tensors, WEIGHTS)
    save(json_path, {"out_of_fold": [dict(zip(columns, row, strict=True)) for row in table]})


def labelled() -> list[dict[str, str]]:
    """The labelled lessons in languages that the screens read."""
    rows = []
    for pattern in FILES:
        for path in sorted(DATA.glob(pattern)):
            rows += [json.loads(line) for line in path.read_text().splitlines()]
    return [
        {"question": row["question"], "said": row["said"], "label": _label(row)}
        for row in rows
        if language_of(f"{row['question']} {row['said']}") == "en"
    ]


def _label(row: dict[str, Any]) -> str:
    if "needs_person" in row:
        return "needs_person" if row["needs_person"] else "clean"
    label: str = row.get("label") or row["group"]
    return label


def _out_of_fold(matrix: Floats, wanted: Array, weights: Array) -> Floats:
    scores = np.zeros(len(matrix), np.float32)
    order = np.random.default_rng(0).permutation(len(matrix))
    for held_out in np.array_split(order, NUM_FOLDS):
        rest = np.setdiff1d(order, held_out)
        weight, bias = _fit(matrix[rest], wanted[rest], weights[rest])
        scores[held_out] = matrix[held_out] @ weight + bias
    return scores


def _fit(matrix: Floats, wanted: Array, weights: Array) -> tuple[Floats, float]:
    """Logistic regression with an L2 penalty."""
    # Installed for this alone.
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=C, max_iter=5000)
    model.fit(matrix, wanted, sample_weight=weights)
    return model.coef_[0].astype(np.float32), float(model.intercept_[0])


def _threshold(head: Head, wanted: Floats, plain: Floats) -> float:
    """Where the scores of plain lessons, or of what must be found, are cut."""
    if head.name == "private":
        return float(np.quantile(plain, 1 - MAX_DOUBTED))
    return float(np.quantile(wanted, 1 - MIN_FOUND))


if __name__ == "__main__":
    typer.run(main)
