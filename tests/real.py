"""The real stack as the end-to-end and fault tests use it: vLLM, PostgreSQL, Valkey, Celery."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from cli.home import Home
from cli.stack import LocalStack

# A worker that dies is missed soon; half of the dreams hold one lesson's night as well.
QUICK = {
    "DORMOUSE_LEASE_S": "6",
    "DORMOUSE_BEAT_INTERVAL_S": "2",
    "DORMOUSE_NUM_DREAMS": "150",
}
# A night takes four minutes where the processor multiplies bfloat16, three times as long elsewhere.
NIGHT_TIMEOUT_S = 1500.0
ENDED = ("proposed", "promoted", "rejected", "skipped", "failed", "cancelled")


class Visitor:
    """A developer and an operator of one stack."""

    def __init__(self, stack: LocalStack) -> None:
        self.stack = stack
        self._http = httpx.Client(base_url=stack.url, timeout=120, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def chat(self, *turns: str, **options: Any) -> httpx.Response:
        """One reply; turns alternate between user and assistant."""
        roles = ("user", "assistant")
        messages = [{"role": roles[i % 2], "content": turn} for i, turn in enumerate(turns)]
        body = {"model": "default", "messages": messages, "max_tokens": 32, "temperature": 0}
        key = {"Authorization": f"Bearer {self.stack.api_key}"}
        return self._http.post("/v1/chat/completions", json={**body, **options}, headers=key)

    def ask(self, question: str) -> str:
        """The answer's text; not to be learned from."""
        reply = self.chat(question, store=False)
        reply.raise_for_status()
        text: str = reply.json()["choices"][0]["message"]["content"]
        return text

    def teach(self, question: str, lesson: str) -> str:
        """Ask, and correct by feedback. Returns the trace's id."""
        reply = self.chat(question)
        reply.raise_for_status()
        trace = reply.headers["X-Dormouse-Trace"]
        key = {"Authorization": f"Bearer {self.stack.api_key}"}
        body = {"trace_id": trace, "correction": lesson}
        self._http.post("/v1/feedback", json=body, headers=key).raise_for_status()
        return trace

    def admin(self, method: str, path: str, **options: Any) -> Any:
        """An operator's call."""
        key = {"Authorization": f"Bearer {self.stack.admin_key}"}
        reply = self._http.request(method, f"/admin{path}", headers=key, **options)
        reply.raise_for_status()
        return reply.json()

    def start_cycle(self) -> str:
        """Start a cycle; its id."""
        cycle_id: str = self.admin("POST", "/sleep-cycles")["id"]
        return cycle_id

    def cycle(self, cycle_id: str) -> dict[str, Any]:
        """A cycle's state."""
        cycle: dict[str, Any] = self.admin("GET", f"/sleep-cycles/{cycle_id}")
        return cycle

    def until_stage(
        self, cycle_id: str, stage: str, progress: float = 0.0, timeout_s: float = NIGHT_TIMEOUT_S
    ) -> None:
        """Wait until a cycle is in the middle of a stage."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            cycle = self.cycle(cycle_id)
            assert cycle["status"] not in ENDED, cycle
            if cycle["stage"] == stage and cycle["progress"] > progress:
                return
            time.sleep(0.05)
        raise AssertionError(f"the cycle never came to {stage}: {self.cycle(cycle_id)}")

    def until_ended(self, cycle_id: str, timeout_s: float = NIGHT_TIMEOUT_S) -> dict[str, Any]:
        """A cycle's last state."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            cycle = self.cycle(cycle_id)
            if cycle["status"] in ENDED:
                return cycle
            time.sleep(0.3)
        raise AssertionError(f"the cycle did not end: {self.cycle(cycle_id)}")

    def until_ready(self, timeout_s: float = 120) -> None:
        """Wait until the API would answer as it should."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            try:
                if self._http.get("/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise AssertionError("the stack is not ready")


@contextmanager
def visiting(settings: dict[str, str]) -> Iterator[Visitor]:
    """A visitor of a whole real stack with these settings, with vLLM and the 135M model."""
    home = Path(tempfile.mkdtemp(prefix="dormouse-e2e-"))
    assets = Home.at(None, None).path
    with LocalStack(home, env={**QUICK, **settings}, assets=assets) as stack:
        stack.start()
        visitor = Visitor(stack)
        yield visitor
        visitor.close()
    shutil.rmtree(home)
