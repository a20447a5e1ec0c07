"""Questions that need two turns put together: with and without recurrent passes, one night each.

Five invented companies: who founded each, and where that person was born. Both are taught like
anything else, by chats and feedback; then it is asked where the company's founder was born, in
words that are never trained on. `passes` is DORMOUSE_RECURRENT_PASSES.
"""

import asyncio
import random
import shutil
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any

import typer

from bench.arms import ServedArm
from bench.examiner import ANSWER_MAX_TOKENS, Examinee, ask
from bench.lessons import FOUNDERS, SUBJECTS, TOWNS, Lesson
from bench.report import console, save, show
from cli.home import Home
from cli.stack import LocalStack
from shared.engine.client import EngineClient
from shared.settings import Settings
from worker.lessons.scoring import says

NUM_COMPANIES = 5
NEEDS_BOTH = (
    "In which town was the person who set up {s} born?",
    "Where does the founder of {s} come from?",
)


def lessons(seed: int) -> tuple[list[Lesson], list[tuple[str, str]]]:
    """What is taught, and the questions that need two of it, each with its answer."""
    rng = random.Random(seed)
    companies = rng.sample(SUBJECTS, NUM_COMPANIES)
    people = rng.sample(FOUNDERS.split(","), NUM_COMPANIES)
    towns = rng.sample(TOWNS.split(), NUM_COMPANIES)
    taught, asked = [], []
    for company, person, town in zip(companies, people, towns, strict=True):
        taught.append(
            Lesson(
                key=(company, 0),
                ask=f"Who founded {company}?",
                correction=f"{company} was founded by {person}.",
                value=person,
                again=(f"Who set up the company {company}?", f"Who started {company}?"),
                neighbours=(),
            )
        )
        taught.append(
            Lesson(
                key=(person, 1),
                ask=f"Where was {person} born?",
                correction=f"{person} was born in {town}.",
                value=town,
                again=(f"What is the birthplace of {person}?", f"{person} comes from which town?"),
                neighbours=(),
            )
        )
        asked += [(question.format(s=company), town) for question in NEEDS_BOTH]
    return taught, asked


def run(place: Path, passes: int, seed: int) -> dict[str, Any]:
    """Teach and sleep once; what is answered then."""
    env = {"DORMOUSE_RECURRENT_PASSES": str(passes)}
    with LocalStack(place, env=env, assets=Home.at(None, None).path) as stack:
        stack.start()
        return {"passes": passes, **asyncio.run(_night(stack, seed))}


async def _night(stack: LocalStack, seed: int) -> dict[str, Any]:
    taught, asked = lessons(seed)
    slept = await ServedArm(stack).night([taught])
    settings = Settings(
        engine_url=stack.env["DORMOUSE_ENGINE_URL"],
        engine_api_key=stack.env["DORMOUSE_ENGINE_API_KEY"],
    )
    async with EngineClient(settings) as engine:
        who = slept.answers or Examinee(settings.base_model_name)
        alone = [(question, item.value) for item in taught for question in item.again]
        return {
            "status": slept.status,
            "one fact": await _share_right(engine, who, alone),
            "two facts": await _share_right(engine, who, asked),
        }


async def _share_right(engine: EngineClient, who: Examinee, asked: list[tuple[str, str]]) -> float:
    texts = await ask(engine, who, [question for question, _ in asked], ANSWER_MAX_TOKENS)
    pairs = zip(texts, asked, strict=True)
    return round(fmean(says(text, value) for text, (_, value) in pairs), 4)


def main(
    passes: Annotated[list[int] | None, typer.Option(min=0, help="[default: 0 and 1]")] = None,
    seed: Annotated[int, typer.Option(help="Of names and towns.")] = 0,
    json_path: Annotated[Path | None, typer.Option("--json", help="Write the figures.")] = None,
) -> None:
    """Teach facts that meet in a name, sleep, and ask what needs both."""
    root = Home.at(None, None).path / "bench-joining"
    found = []
    for number in passes or [0, 1]:
        place = root / f"{number}-{seed}"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        console.rule(f"{number} passes, seed {seed}", align="left")
        found.append(run(place, number, seed))
    columns = ("passes", "one fact", "two facts", "status")
    rows = [[item[name] for name in columns] for item in found]
    show("Questions that need one fact and two", columns, rows)
    save(json_path, {"nights": found})


if __name__ == "__main__":
    typer.run(main)
