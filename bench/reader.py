"""The reader of triage: fitted on the labelled conversations, and measured on those it was not.

Each row leaves one set out, fits on all others, and reads the set that was left out: what the
rules find, what the reader finds, and both together, turn by turn. `--write` fits on all of them
and writes the weights that triage uses.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from bench.report import save, show
from bench.triage import SETS, read_set
from worker.triage.features import features
from worker.triage.reader import SURE, WEIGHTS, Reader
from worker.triage.turns import lesson_by_rule

# What fewer turns show is chance.
MIN_TURNS = 4
MIN_WEIGHT = 0.1
# In a conversation of these groups any turn may be the one that counts.
ANY_TURN = ("told", "session", "personal", "keep words")


@dataclass(frozen=True)
class Turn:
    """A user's turn, what came before it, and what a person would make of it."""

    said: str
    question: str | None
    reply: str
    expect: str

    @property
    def features(self) -> frozenset[str]:
        """What is true of it."""
        return features(self.said, self.question, self.reply)


def turns_of(item: dict[str, Any]) -> list[Turn]:
    """The turns of one labelled conversation of which the label says something.

    What is unfit for the weights looks like what is fit: it is the screen's to find.
    """
    if "turns" not in item or item["group"].startswith("unfit"):
        return []
    users, replies = item["turns"][::2], item["turns"][1::2]
    before = [(None, ""), *zip(users, replies, strict=True)]
    labels = ["discard"] * len(users)
    if "correction" not in item and "rating" not in item:
        if len(users) > 1 and item["expect"] != "discard" and item["group"] in ANY_TURN:
            return []
        labels[-1] = item["expect"]
    found = zip(users, before, labels, strict=False)
    return [Turn(said, *beside, expect=label) for said, beside, label in found]


def fit(turns: Sequence[Turn], expect: str = "long_term") -> Reader:
    """Logistic regression with an L2 penalty; what weighs next to nothing is left out."""
    # Installed for this alone.
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import MultiLabelBinarizer

    seen = [turn.features for turn in turns]
    num_turns = Counter(name for found in seen for name in found)
    common = {name for name, num in num_turns.items() if num >= MIN_TURNS}
    binarizer = MultiLabelBinarizer()
    matrix = binarizer.fit_transform([found & common for found in seen]).astype(float)
    model = LogisticRegression(C=1.0, max_iter=5000)
    model.fit(matrix, [turn.expect == expect for turn in turns])
    weights = {
        str(name): round(float(weight), 2)
        for name, weight in zip(binarizer.classes_, model.coef_[0], strict=True)
        if abs(weight) > MIN_WEIGHT
    }
    by_weight = sorted(weights, key=lambda name: (-weights[name], name))
    bias = round(float(model.intercept_[0]), 2)
    return Reader(bias=bias, weights={name: weights[name] for name in by_weight})


def measure(turns: Sequence[Turn], reader: Reader) -> dict[str, dict[str, float]]:
    """Precision and recall, over turns, of each way to read them."""
    by_rule = [
        (said := lesson_by_rule(turn.said, turn.question, turn.reply)) is not None
        and not said.personal
        for turn in turns
    ]
    read = [reader.weigh(turn.features).probability > SURE for turn in turns]
    ways: dict[str, Callable[[bool, bool], bool]] = {
        "rules": lambda rule, _: rule,
        "reader": lambda _, reading: reading,
        "both": lambda rule, reading: rule or reading,
    }
    wanted = [turn.expect == "long_term" for turn in turns]
    return {way: _scores(wanted, list(map(takes, by_rule, read))) for way, takes in ways.items()}


def _scores(wanted: Sequence[bool], taken: Sequence[bool]) -> dict[str, float]:
    num_right = sum(want and take for want, take in zip(wanted, taken, strict=True))
    return {
        "precision": num_right / max(sum(taken), 1),
        "recall": num_right / max(sum(wanted), 1),
    }


def main(
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the figures.")] = None,
    write: Annotated[
        bool, typer.Option("--write", help="Fit on every set and write the weights.")
    ] = False,
) -> None:
    """Read each set with what was fitted on the others."""
    sets = {name: [turn for item in read_set(name) for turn in turns_of(item)] for name in SETS}
    found = {
        name: measure(turns, fit([turn for other in SETS if other != name for turn in sets[other]]))
        for name, turns in sets.items()
    }
    rows = [
        (name, len(sets[name]), *(f"{x:.3f}" for way in ways.values() for x in way.values()))
        for name, ways in found.items()
    ]
    columns = (
        "left out",
        "turns",
        *(f"{way} {x}" for way in ("rules", "reader", "both") for x in "PR"),
    )
    show("Precision and recall, of turns that teach what lasts", columns, rows)
    if write:
        turns = [turn for turns in sets.values() for turn in turns]
        content = {
            name: asdict(fit(turns, expect))
            for name, expect in (("lasting", "long_term"), ("brief", "session"))
        }
        WEIGHTS.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    save(json_path, found)


if __name__ == "__main__":
    typer.run(main)
