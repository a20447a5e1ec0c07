"""Cycles that compound: what is learned, kept, lost and leaked, night after night.

Each cycle teaches things about invented companies, among ordinary chat, and sleeps; from the second
on some of them contradict what was taught before. `ours` and the ablations go the whole way: chats
and feedback through the API, the real stages, the gate and the swap; what the gate refuses is not
learned, and is tried again by the next cycle. `plain` fine-tunes on the same wordings with
cross-entropy alone, night after night on the same adapter, `rebuilt` on all lessons in force from
the base, both without a gate; `context` puts all lessons into the system prompt.

A run that was stopped goes on where it was: each arm keeps its stack and its figures in a folder.
With several seeds the last table says what each arm reached, as medians over them. What ran on
another machine, or on another day, can be shown beside them (`--figures`).
"""

import asyncio
import itertools
import json
import shutil
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from bench import bars
from bench.arms import ARMS, PLAIN, SERVED, Arm, ContextArm, PlainArm, ServedArm
from bench.examiner import MEASURES, Examinee, Examiner
from bench.lessons import Lesson, curriculum
from bench.outside import OUTSIDE_MEASURES, Outside
from bench.plots import plot
from bench.report import console, save, show
from bench.written import written_curriculum
from cli.home import Home
from cli.stack import LocalStack
from shared.engine.client import EngineClient
from shared.settings import Settings

# The outside data takes minutes: it is asked each so many cycles, and after the last.
OUTSIDE_EVERY = 5


@dataclass
class Figures:
    """An arm's figures so far: one entry for each finished cycle.

    `base` holds the outside measures of the bare base. `first_right` holds, for each lesson ever
    taught, how well it was answered when it was new.
    """

    arm: str
    seed: int
    base: dict[str, float | None] = field(default_factory=dict)
    cycles: list[dict[str, Any]] = field(default_factory=list)
    first_right: dict[str, float] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, arm: str, seed: int) -> "Figures":
        """What an earlier run left, or nothing yet."""
        return cls(**json.loads(path.read_text())) if path.exists() else cls(arm, seed)

    def show(self) -> None:
        """Print the table; where the outside data was asked, its figures beside the base's."""
        rows = [
            (
                number,
                *(_cell(cycle.get(name)) for name in MEASURES),
                f"{cycle['seconds']:.0f}",
                cycle["status"],
            )
            for number, cycle in enumerate(self.cycles, 1)
        ]
        title = f"{self.arm}, seed {self.seed}"
        show(title, ("cycle", *MEASURES, "seconds", "status"), rows)
        asked = [(n, c) for n, c in enumerate(self.cycles, 1) if c.get("blimp") is not None]
        if asked:
            figures = [("base", self.base), *asked]
            show(
                f"{title}, outside data",
                ("cycle", *OUTSIDE_MEASURES),
                [(n, *(_cell(values[name]) for name in OUTSIDE_MEASURES)) for n, values in figures],
            )


def _cell(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def run_arm(
    place: Path, arm: str, seed: int, lessons: list[list[Lesson]], data: Path | None
) -> Figures:
    """Run an arm's missing cycles; what it has is written after each."""
    place.mkdir(parents=True, exist_ok=True)
    path = place / "figures.json"
    figures = Figures.read(path, arm, seed)
    if len(figures.cycles) < len(lessons):
        with LocalStack(place, env=SERVED.get(arm, {}), assets=Home.at(None, None).path) as stack:
            stack.start()
            asyncio.run(_cycles(stack, place, path, figures, lessons, data))
    return figures


async def _cycles(
    stack: LocalStack,
    place: Path,
    path: Path,
    figures: Figures,
    lessons: list[list[Lesson]],
    data: Path | None,
) -> None:
    settings = Settings(
        engine_url=stack.env["DORMOUSE_ENGINE_URL"],
        engine_api_key=stack.env["DORMOUSE_ENGINE_API_KEY"],
    )
    async with EngineClient(settings) as engine:
        examiner = Examiner(engine, settings.base_model_name)
        await examiner.start()
        outside = Outside(engine, settings.base_model_name, data)
        if not figures.base:
            figures.base = await outside.examine(settings.base_model_name)
        way = _arm(figures.arm, stack, engine, place, settings.base_model_name)
        for number in range(len(figures.cycles) + 1, len(lessons) + 1):
            console.rule(f"{figures.arm}, seed {figures.seed}, cycle {number}", align="left")
            began = time.monotonic()
            night = await way.night(lessons[:number])
            seconds = round(time.monotonic() - began, 1)
            who = night.answers or Examinee(settings.base_model_name)
            measured = await examiner.examine(who, lessons[:number], figures.first_right)
            if who.system is None and (number % OUTSIDE_EVERY == 0 or number == len(lessons)):
                measured |= await outside.examine(who.name)
            figures.cycles.append(
                {
                    **measured,
                    "seconds": seconds,
                    "status": night.status,
                    "reason": night.reason,
                }
            )
            await asyncio.to_thread(path.write_text, json.dumps(asdict(figures), indent=2))
            figures.show()


def _arm(arm: str, stack: LocalStack, engine: EngineClient, place: Path, base: str) -> Arm:
    if arm in SERVED:
        return ServedArm(stack)
    if arm in PLAIN:
        return PlainArm(engine, place.resolve(), carries_on=arm == "plain")
    return ContextArm(base)


def _read_finished(path: Path) -> list[Figures]:
    """The arms in a file that `--json` wrote."""
    try:
        return [Figures(**arm) for arm in json.loads(path.read_text())["arms"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise typer.BadParameter(f"{path} holds no figures of this bench: {error}") from error


def main(
    arm: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(ARMS)}.")] = None,
    cycles: Annotated[int, typer.Option(min=1, help="Nights.")] = 10,
    lessons: Annotated[int, typer.Option(min=3, help="Lessons of a night.")] = 10,
    updates: Annotated[int, typer.Option(help="How many of them contradict earlier ones.")] = 2,
    source: Annotated[
        Literal["generated", "written"],
        typer.Option(
            "--lessons-from",
            help="Generated from lists, or written by hand by people who knew the how-to alone.",
        ),
    ] = "generated",
    seed: Annotated[
        list[int] | None, typer.Option(help="Of the lessons' order and values; 0 without.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder with `blimp.jsonl` and `xstest.jsonl`.")
    ] = None,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the figures.")] = None,
    plot_path: Annotated[Path | None, typer.Option("--plot", help="Draw them, as SVG.")] = None,
    figures: Annotated[
        list[Path] | None,
        typer.Option(help="Show what `--json` wrote too; without an arm, that alone."),
    ] = None,
    fresh: Annotated[bool, typer.Option(help="Forget earlier runs of these arms.")] = False,
) -> None:
    """Teach, sleep and examine, cycle after cycle; one arm after the other."""
    arms = arm or ([] if figures else ["ours", "plain"])
    if unknown := set(arms) - set(ARMS):
        raise typer.BadParameter(f"no such arm: {', '.join(unknown)}; of {', '.join(ARMS)}")
    seeds = list(dict.fromkeys(seed or [0]))
    try:
        taught = {
            number: curriculum(cycles, lessons, updates, number)
            if source == "generated"
            else written_curriculum(cycles, lessons, number)
            for number in seeds
        }
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    finished = [item for path in figures or [] for item in _read_finished(path)]
    known = {(item.arm, item.seed) for item in finished}
    root = Home.at(None, None).path / "bench-learning"
    for name, number in itertools.product(arms, seeds):
        if (name, number) in known:
            continue
        place = root / f"{name}-{number}-{lessons}-{updates}{'-written' * (source == 'written')}"
        if fresh:
            shutil.rmtree(place, ignore_errors=True)
        finished.append(run_arm(place, name, number, taught[number], data))
    for item in finished:
        item.show()
    held: list[dict[str, Any]] = []
    for name in dict.fromkeys(item.arm for item in finished):
        runs = {
            item.seed: bars.Run(item.base, item.cycles) for item in finished if item.arm == name
        }
        title = f"{name}, median of seeds {sorted(runs)}"
        rows = bars.reached(list(runs.values()))
        show(title, bars.COLUMNS, rows)
        held += bars.as_bars(rows, name)
    for name, meaning in {**MEASURES, **OUTSIDE_MEASURES}.items():
        console.print(f"  [bold]{name}[/] {meaning}")
    if plot_path is not None:
        lines = {f"{item.arm}, seed {item.seed}": item.cycles for item in finished}
        plot(plot_path, [*MEASURES, *OUTSIDE_MEASURES, "seconds"], lines)
    save(json_path, {"arms": [asdict(item) for item in finished], "bars": held})


if __name__ == "__main__":
    typer.run(main)
