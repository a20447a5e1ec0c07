"""The scorer against people's labels: `python -m bench.scoring`.

700 answers that the rules were written in sight of (`open.jsonl`), and 300 by another writer that
nobody who wrote the rules has read (`closed.jsonl`). Beside the scorer, what a plain search for the
value says.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any

import typer

from bench.report import save, show
from worker.lessons.scoring import says_any

DATA = Path(__file__).parent / "data" / "answers"
OPEN = DATA / "open.jsonl"
CLOSED = DATA / "closed.jsonl"
BAR = 0.98

Scorer = Callable[[dict[str, Any]], bool]


def scored(row: dict[str, Any]) -> bool:
    """What the scorer says of a labelled answer."""
    return says_any(
        row["answer"], [row["value"], *row.get("aliases", ())], row["question"], row["lang"]
    )


def searched(row: dict[str, Any]) -> bool:
    """Whether the value stands in the answer at all."""
    values = [row["value"], *row.get("aliases", ())]
    return any(value.lower() in row["answer"].lower() for value in values)


def agreement(rows: Sequence[dict[str, Any]], scorer: Scorer = scored) -> float:
    """The share of labelled answers that are judged as they were labelled."""
    return fmean(scorer(row) is row["says"] for row in rows)


def main(
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the figures.")] = None,
) -> None:
    """Judge every labelled answer, and print the share that agrees."""
    rows = []
    figures: dict[str, Any] = {}
    for path in (OPEN, CLOSED):
        labelled = [json.loads(line) for line in path.read_text().splitlines()]
        for name, part in (
            ("English", [row for row in labelled if row["lang"] == "en"]),
            ("other languages", [row for row in labelled if row["lang"] != "en"]),
            ("all", labelled),
        ):
            ours, plain = agreement(part), agreement(part, searched)
            rows.append((path.stem, name, len(part), f"{ours:.3f}", f"{plain:.3f}"))
            figures[f"{path.stem}, {name}"] = {"agreement": ours, "search": plain, "of": len(part)}
    show("agreement with people's labels", ("set", "part", "answers", "scorer", "search"), rows)
    value = round(figures["closed, all"]["agreement"], 4)
    bars = [{"name": "agreement, closed", "value": value, "bar": BAR, "holds": value >= BAR}]
    save(json_path, {"figures": figures, "bars": bars})


if __name__ == "__main__":
    typer.run(main)
