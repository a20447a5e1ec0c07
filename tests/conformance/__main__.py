"""Ask strangers' tools: `make conformance`.

`llm-comply` holds each API against its official schema, once through Dormouse and once against the
engine alone: what it misses in both is the engine's own, what it misses only through Dormouse is a
failure here. `schemathesis` calls everything that our OpenAPI document names with what it allows
and what it does not. The `llm` tool chats. The SDKs are in `tests/e2e/test_clients.py`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.markup import escape

from bench.report import console, show
from bench.stubbed import stubbed
from cli.engine import MODEL_NAME, MORE_ARGUMENTS
from cli.home import Home
from cli.stack import LocalStack

FORMATS = ("openai-chat", "open-responses", "anthropic")
REQUEST_TIMEOUT_S = "300"
# A small model's answer differs each time, and with it what a tool misses in it.
NUM_TRIES = 3
# Most of the tool's requests name no limit, and a small model may ramble on.
SHORT = """--override-generation-config '{"max_new_tokens": 48}'"""
CUT_SHORT = "got 'incomplete'"
# A schema cannot say that PostgreSQL keeps no NUL and that there is a limit on `n`, and the
# framework names in `Allow` the methods of one route, not of all at that path.
NOT_CHECKED = "positive_data_acceptance,allow_header_conformance"
# schemathesis cannot write JSON lines.
NOT_CALLED = ("POST /admin/traces",)


@dataclass(frozen=True)
class Target:
    """Somebody who answers."""

    url: str
    key: str
    model: str


def tool(name: str) -> str:
    """A tool's path.

    Raises:
        SystemExit: If it was not installed.
    """
    path = Home.at(None, None).path / "conformance-venv" / "bin" / name
    if not path.exists():
        raise SystemExit(f"There is no {path}. Run `make conformance`.")
    return str(path)


def misses(target: Target, form: str, only: str | None = None) -> dict[str, set[str]]:
    """What llm-comply misses, by test; empty sets for what passes, nothing for what it skips."""
    argv = [tool("llm-comply"), "--format", form, "-u", f"{target.url}/v1", "-k", target.key]
    argv += ["-m", target.model, "--json", "--timeout", REQUEST_TIMEOUT_S]
    argv += ["-i", CUT_SHORT, *(["-f", only] if only else [])]
    argv += ["-H", "anthropic-version:2023-06-01"] if form == "anthropic" else []
    said = subprocess.run(argv, stdout=subprocess.PIPE, text=True, check=False).stdout
    found: list[dict[str, Any]] = json.loads(said)["results"]
    return {
        item["id"]: {_plain(error) for error in item.get("errors") or []}
        for item in found
        if item["status"] != "skipped"
    }


def _plain(error: str) -> str:
    """An error without what differs from answer to answer."""
    return re.sub(r"(\w+(?:\.\d+)?): \{.*", r"\1: does not fit", error.splitlines()[0])[:120]


def comply(ours: Target, engine: Target) -> bool:
    """Compare; True if nothing is missed through us alone."""
    rows = []
    good = True
    for form in FORMATS:
        by_engine, by_us = misses(engine, form), misses(ours, form)
        both = set().union(*by_us.values())
        for error in sorted(both | set().union(*by_engine.values())):
            whose = "both" if error in both else "the engine alone"
            console.print(f"[dim]{form}, {whose}:[/] {escape(error)}", soft_wrap=True)
        for name, missed in by_us.items():
            known = by_engine.get(name, set())
            for _ in range(NUM_TRIES):
                if not missed - known:
                    break
                known |= misses(engine, form, name).get(name, set())
                missed = misses(ours, form, name).get(name, set())
            alone = sorted(missed - known)
            good = good and not alone
            verdict = "FAILED" if alone else "the engine's" if missed else "passed"
            rows.append((f"{form} {name}", len(by_engine.get(name, ())), len(missed), verdict))
            for error in alone:
                console.print(f"  {name}: {error}", markup=False)
    show("llm-comply: what it misses", ("", "engine", "Dormouse", ""), rows)
    return good


def chat_with_llm(ours: Target) -> bool:
    """One chat by the `llm` tool; True if it gets an answer."""
    with tempfile.TemporaryDirectory() as folder:
        entry = f"- model_id: dormouse\n  model_name: {ours.model}\n  api_base: {ours.url}/v1\n"
        (Path(folder) / "extra-openai-models.yaml").write_text(entry + "  api_key_name: dormouse\n")
        ended = subprocess.run(
            [tool("llm"), "-m", "dormouse", "--key", ours.key, "Say hello."],
            env={**os.environ, "LLM_USER_PATH": folder},
            capture_output=True,
            text=True,
            check=False,
        )
    good = ended.returncode == 0 and bool(ended.stdout.strip())
    console.print(f"llm: {'passed' if good else 'FAILED'}", markup=False)
    if not good:
        console.print(ended.stderr, markup=False)
    return good


def schema(ours: Target) -> bool:
    """Schemathesis on all that the document names; True if it finds nothing."""
    argv = [tool("schemathesis"), "run", f"{ours.url}/openapi.json", "--phases", "coverage"]
    argv += ["-H", f"Authorization: Bearer {ours.key}", "--exclude-checks", NOT_CHECKED]
    argv += ["--continue-on-failure", "--warnings", "off", "--request-timeout", "60"]
    for operation in NOT_CALLED:
        argv += ["--exclude-name", operation]
    return subprocess.run(argv, check=False).returncode == 0


def main() -> int:
    """Run all; the exit status is 0 if nothing is missed through us alone."""
    assets = Home.at(None, None).path
    place = assets / "conformance"
    shutil.rmtree(place, ignore_errors=True)
    with stubbed(place / "schema") as stack:
        results = [schema(Target(stack.url, stack.admin_key, "default"))]
    with LocalStack(place / "real", env={MORE_ARGUMENTS: SHORT}, assets=assets) as stack:
        stack.start()
        ours = Target(stack.url, stack.api_key, "default")
        engine = Target(
            stack.env["DORMOUSE_ENGINE_URL"], stack.env["DORMOUSE_ENGINE_API_KEY"], MODEL_NAME
        )
        results += [chat_with_llm(ours), comply(ours, engine)]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
