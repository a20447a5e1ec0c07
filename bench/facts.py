"""Real facts of public editing benchmarks, given as feedback with the bare value, in one night.

| file of `--data` | lines | from |
| --- | --- | --- |
| `wikibigedit.jsonl` | `question rephrased answer neighbour` | Thede et al. 2025 |
| `zsre.jsonl` | the same, with `unrelated` | Levy et al. 2017 |
| `blimp.jsonl` | see `bench.outside` | Warstadt et al. 2020 |
| `ifeval.jsonl` | see `bench.instructions` | Zhou et al. 2023 |

Each question is asked in a chat, its answer rated down and corrected with the value alone, as a
user would. Then one night. Asked are the question, the benchmark's own rephrasing and its
neighbour, which must not get the value; of the neighbour also how much less likely the base's own
answer has become.
"""

import asyncio
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any

import typer

from bench.arms import CHAT_MAX_TOKENS, CYCLE_TIMEOUT_S
from bench.bars import Bar, near_base
from bench.examiner import ANSWER_MAX_TOKENS, CONCURRENCY, Examinee, ask
from bench.instructions import Instruction, read_instructions
from bench.outside import Outside
from bench.report import console, save, show
from cli.client import ChatReply, DormouseClient
from cli.home import Home
from cli.sleep_view import follow_cycle
from cli.stack import LocalStack
from shared.engine.client import EngineClient
from shared.settings import Settings
from worker.gate.engine import GateEngine
from worker.gate.statistics import SIGNIFICANCE, compare_shares
from worker.lessons.scoring import says_any

SOURCES = ("wikibigedit", "zsre")
INSTRUCTION_MAX_TOKENS = 256
BARS = {
    "promoted": Bar(least=1.0),
    "rephrased": Bar(least=0.9),
    "leak": Bar(most=0.05),
    "less likely": Bar(most=0.1),
    "blimp": near_base(0.005),
    "followed, p": Bar(least=SIGNIFICANCE),
}
COLUMNS = (
    "facts",
    "night",
    "seconds",
    "asked",
    "rephrased",
    "neighbours given the value",
    "nats less likely",
    "BLiMP",
    "IFEval",
)


@dataclass(frozen=True)
class Fact:
    """A fact to teach, and what must and must not follow from it."""

    question: str
    rephrased: str
    value: str
    neighbour: str


@dataclass(frozen=True)
class Answers:
    """What somebody says to everything, and what else it can do."""

    asked: list[str]
    rephrased: list[str]
    neighbours: list[str]
    blimp: float | None
    followed: list[bool]


def read_facts(folder: Path, source: str, count: int, seed: int) -> list[Fact]:
    """So many facts of a source, drawn by the seed.

    Raises:
        FileNotFoundError: If the folder has no such file.
        ValueError: If it has fewer.
    """
    rows = [json.loads(line) for line in (folder / f"{source}.jsonl").read_text().splitlines()]
    if count > len(rows):
        raise ValueError(f"{source} has {len(rows)} facts, not {count}.")
    return [
        Fact(
            row["question"],
            row["rephrased"],
            row["answer"],
            row["neighbour"] if "neighbour" in row else row["unrelated"],
        )
        for row in random.Random(seed).sample(rows, count)
    ]


class Asked:
    """Asks the base, then whoever answers after the night, the same."""

    def __init__(
        self,
        engine: EngineClient,
        base: str,
        facts: Sequence[Fact],
        instructions: Sequence[Instruction],
        data: Path,
    ) -> None:
        self._engine = engine
        self._base = base
        self._facts = facts
        self._instructions = instructions
        self._outside = Outside(engine, base, data, prompts=False)

    async def answers(self, name: str) -> Answers:
        """Everything, greedily."""
        who = Examinee(name)
        facts = self._facts
        asked = [text for fact in facts for text in (fact.question, fact.rephrased, fact.neighbour)]
        texts = await ask(self._engine, who, asked, ANSWER_MAX_TOKENS)
        prompts = [item.prompt for item in self._instructions]
        done = await ask(self._engine, who, prompts, INSTRUCTION_MAX_TOKENS)
        return Answers(
            asked=texts[::3],
            rephrased=texts[1::3],
            neighbours=texts[2::3],
            blimp=(await self._outside.examine(name))["blimp"],
            followed=[
                item.followed(answer) for item, answer in zip(self._instructions, done, strict=True)
            ],
        )

    async def less_likely(self, name: str, before: Answers) -> float:
        """By how much the base's answers to the neighbours are, in nats per token."""

        async def ignore() -> None: ...

        pairs = zip(self._facts, before.neighbours, strict=True)
        turns = [(fact.neighbour, text) for fact, text in pairs if text.strip()]
        gate = GateEngine(self._engine, CONCURRENCY, ignore)
        was = await gate.reply_logprobs(self._base, self._base, turns)
        now = await gate.reply_logprobs(name, self._base, turns)
        return fmean(a - b for a, b in zip(was, now, strict=True))


def measured(
    facts: Sequence[Fact], before: Answers, after: Answers, less_likely: float
) -> dict[str, Any]:
    """The shares; a neighbour leaks if it gets the value now and did not before."""

    def says(texts: Sequence[str], questions: Sequence[str]) -> list[bool]:
        return [
            says_any(text, [fact.value], question)
            for fact, text, question in zip(facts, texts, questions, strict=True)
        ]

    questions = [fact.question for fact in facts]
    rephrased = [fact.rephrased for fact in facts]
    neighbours = [fact.neighbour for fact in facts]
    leaked = [
        now and not was
        for was, now in zip(
            says(before.neighbours, neighbours), says(after.neighbours, neighbours), strict=True
        )
    ]
    followed = compare_shares("followed", before.followed, after.followed, margin=-1.0)
    is_asked = followed.num_probes > 0
    return {
        "asked before": fmean(says(before.asked, questions)),
        "asked": fmean(says(after.asked, questions)),
        "rephrased before": fmean(says(before.rephrased, rephrased)),
        "rephrased": fmean(says(after.rephrased, rephrased)),
        "leak": fmean(leaked),
        "less likely": round(less_likely, 4),
        "blimp before": before.blimp,
        "blimp": after.blimp,
        "followed before": followed.baseline if is_asked else None,
        "followed": followed.candidate if is_asked else None,
        "followed, p": followed.p_value if is_asked else None,
        "missed": [
            (fact.rephrased, fact.value, text)
            for fact, text, right in zip(
                facts, after.rephrased, says(after.rephrased, rephrased), strict=True
            )
            if not right
        ],
        "leaked": [
            (fact.neighbour, fact.value, text)
            for fact, text, leaks in zip(facts, after.neighbours, leaked, strict=True)
            if leaks
        ],
    }


def bars_of(name: str, figures: dict[str, Any]) -> list[dict[str, Any]]:
    """What a night must reach; what was not measured has no bar.

    A night that was refused moved nothing: that it leaks nothing does not make up for it.
    """
    values = {"promoted": float(figures["status"] == "promoted"), **figures}
    if figures["blimp"] is not None:
        values["blimp"] = round(figures["blimp"] - figures["blimp before"], 4)
    return [
        {
            "name": f"{name}: {key}",
            "value": values[key],
            "bar": str(bar),
            "holds": bar.holds(values[key]),
        }
        for key, bar in BARS.items()
        if values[key] is not None
    ]


def teach(client: DormouseClient, facts: Sequence[Fact]) -> None:
    """Ask each question, and correct the answer with the value alone."""
    for fact in facts:
        reply = ChatReply()
        turns = [{"role": "user", "content": fact.question}]
        for _ in client.chat(turns, reply=reply, temperature=0, max_tokens=CHAT_MAX_TOKENS):
            pass
        client.give_feedback(reply.trace, rating=-1, correction=fact.value)


def run_night(
    place: Path, facts: Sequence[Fact], data: Path, instructions: Sequence[Instruction]
) -> dict[str, Any]:
    """Teach on a stack of its own, sleep once, and measure before and after."""
    env = {"DORMOUSE_MAX_CYCLE_MEMORIES": str(len(facts))}
    with LocalStack(place, env=env, assets=Home.at(None, None).path) as stack:
        stack.start()
        return asyncio.run(_night(stack, facts, data, instructions))


async def _night(
    stack: LocalStack, facts: Sequence[Fact], data: Path, instructions: Sequence[Instruction]
) -> dict[str, Any]:
    settings = Settings(
        engine_url=stack.env["DORMOUSE_ENGINE_URL"],
        engine_api_key=stack.env["DORMOUSE_ENGINE_API_KEY"],
    )
    client = DormouseClient(stack.url, stack.api_key, stack.admin_key)
    async with EngineClient(settings) as engine:
        base = settings.base_model_name
        asked = Asked(engine, base, facts, instructions, data)
        before = await asked.answers(base)
        await asyncio.to_thread(teach, client, facts)
        began = time.monotonic()
        ended = await asyncio.to_thread(_sleep, client)
        seconds = round(time.monotonic() - began, 1)
        name = next((a["engine_name"] for a in client.adapters() if a["state"] == "active"), base)
        after = await asked.answers(name)
        figures = measured(facts, before, after, await asked.less_likely(name, before))
    reason = (ended.get("gate") or {}).get("reason") or ended.get("error") or ""
    return {**figures, "status": ended["status"], "reason": reason, "seconds": seconds}


def _sleep(client: DormouseClient) -> dict[str, Any]:
    cycle_id = client.start_cycle(reason="bench.facts")["id"]
    return follow_cycle(lambda: client.cycle(cycle_id), console, timeout_s=CYCLE_TIMEOUT_S)


def main(
    data: Annotated[Path | None, typer.Option(help="Folder with the files above.")] = None,
    source: Annotated[list[str] | None, typer.Option(help=f"Of {', '.join(SOURCES)}.")] = None,
    count: Annotated[
        list[int] | None, typer.Option("--n", help="Facts of a night: 10, 30.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Which facts are drawn.")] = 7,
    instructions: Annotated[int, typer.Option(min=0, help="Prompts of IFEval to follow.")] = 100,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the figures.")] = None,
) -> None:
    """Teach real facts in one night, and ask about them, beside them, and for all else."""
    if data is None or not data.is_dir():
        console.print("No outside facts: give the folder that holds wikibigedit.jsonl by --data.")
        raise typer.Exit(0)
    if unknown := set(source or ()) - set(SOURCES):
        raise typer.BadParameter(f"no such source: {', '.join(unknown)}; of {', '.join(SOURCES)}")
    try:
        to_follow = read_instructions(data, instructions)
    except ImportError as error:
        raise typer.BadParameter(str(error)) from error
    root = Home.at(None, None).path / "bench-facts"
    nights: dict[str, dict[str, Any]] = {}
    for name in source or SOURCES:
        for number in count or (10, 30):
            try:
                facts = read_facts(data, name, number, seed)
            except (OSError, ValueError) as error:
                raise typer.BadParameter(str(error)) from error
            console.rule(f"{number} facts of {name}", align="left")
            place = root / f"{name}-{number}-{int(time.time())}"
            nights[f"{name}, {number}"] = run_night(place, facts, data, to_follow)
    show("Real facts, one night each", COLUMNS, [_row(*item) for item in nights.items()])
    bars = [bar for name, figures in nights.items() for bar in bars_of(name, figures)]
    show(
        "Bars",
        ("bar", "value", "bar at", "holds"),
        [(b["name"], f"{b['value']:.3f}", b["bar"], "yes" if b["holds"] else "no") for b in bars],
    )
    save(json_path, {"nights": nights, "bars": bars})


def _row(name: str, figures: dict[str, Any]) -> tuple[object, ...]:
    def moved(key: str) -> str:
        if figures[key] is None:
            return "-"
        return f"{figures[f'{key} before']:.3f} → {figures[key]:.3f}"

    return (
        name,
        figures["status"],
        f"{figures['seconds']:.0f}",
        moved("asked"),
        moved("rephrased"),
        f"{figures['leak']:.2f}",
        f"{figures['less likely']:.3f}",
        moved("blimp"),
        moved("followed"),
    )


if __name__ == "__main__":
    typer.run(main)
