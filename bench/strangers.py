"""Conversations of strangers, held through the real API and read by real nights that train nothing.

PostgreSQL and Valkey are real, and so are the application, over HTTP, and a sleep cycle up to what
it decides. The engine says what the script of a conversation says, and remembers what it was told.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from aiohttp import web
from pydantic import SecretStr
from sqlalchemy import select

from api.services import DEFAULT
from cli.home import Home
from cli.stack import LocalStack
from shared.contracts.memories import Memory, MemoryState
from shared.db.session import Sessions
from shared.db.tables import TenantRow
from shared.settings import Settings
from shared.storage.memories import MemoryStore
from shared.storage.tenants import TenantStore
from worker.context import Context, open_context
from worker.cycle import run_cycle

# More than any night here learns.
MANY = 10_000
BASE = "scripted"
Message = dict[str, Any]


class ScriptedEngine:
    """Answers what it was told to, in vLLM's words; `seen` are the last chat's messages."""

    def __init__(self) -> None:
        self.reply: Message = {"role": "assistant", "content": ""}
        self.seen: list[Message] = []
        self.url = ""
        app = web.Application()
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/chat/completions", self._chat)
        self._runner = web.AppRunner(app)

    async def start(self) -> None:
        """Listen on a free port."""
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        """Listen no more."""
        await self._runner.cleanup()

    async def _models(self, request: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": BASE}]})

    async def _chat(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.seen = body["messages"]
        choice = {"index": 0, "message": self.reply, "finish_reason": "stop"}
        head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1}
        return web.json_response({**head, "model": body["model"], "choices": [choice]})


@dataclass
class Town:
    """A tenant whose models each have their own strangers.

    Attributes:
        sessions: The database.
        http: Calls with the key that each call names.
        keys: One for each role.
    """

    sessions: Sessions
    http: httpx.AsyncClient
    engine: ScriptedEngine
    context: Context
    tenant_id: UUID
    admin_key: str
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def _admin(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.admin_key}"}

    async def new_key(self, name: str, role: str) -> str:
        """A key of a role."""
        body = {"name": name, "role": role}
        made = await self.http.post("/admin/keys", json=body, headers=self._admin)
        made.raise_for_status()
        key: str = made.json()["key"]
        return key

    async def model(self, name: str) -> UUID:
        """A model of its own: what is taught there reaches no other."""
        async with self.sessions.begin() as session:
            return await TenantStore(session).ensure_model(self.tenant_id, name, BASE)

    async def chat(
        self,
        model: str,
        messages: Sequence[Message],
        reply: Message,
        *,
        role: str = "chat",
        author: str | None = None,
        session: str | None = None,
        store: bool = True,
    ) -> str:
        """One exchange; returns its trace."""
        self.engine.reply = reply
        body: dict[str, Any] = {"model": model, "messages": list(messages), "store": store}
        if author is not None:
            body["user"] = f"{model} {author}"
        headers = {"Authorization": f"Bearer {self.keys[role]}"}
        if session is not None:
            headers["X-Dormouse-Session"] = session
        response = await self.http.post("/v1/chat/completions", json=body, headers=headers)
        response.raise_for_status()
        trace: str = response.headers["X-Dormouse-Trace"]
        return trace

    async def feedback(
        self, model: str, trace: str, *, role: str = "chat", author: str | None, **said: Any
    ) -> None:
        """Say something of an exchange."""
        body = {"trace_id": trace, **{key: value for key, value in said.items() if value}}
        if author is not None:
            body["user"] = f"{model} {author}"
        headers = {"Authorization": f"Bearer {self.keys[role]}"}
        (await self.http.post("/v1/feedback", json=body, headers=headers)).raise_for_status()

    async def sleep(self, model: str) -> None:
        """A night that reads and decides."""
        headers = self._admin
        body = {"model": model, "stop_after": "resolve"}
        cycle = await self.http.post("/admin/sleep-cycles", json=body, headers=headers)
        cycle.raise_for_status()
        cycle_id = cycle.json()["id"]
        await run_cycle(self.context, UUID(cycle_id))
        ended = await self.http.get(f"/admin/sleep-cycles/{cycle_id}", headers=headers)
        if ended.json()["status"] != "proposed":
            raise RuntimeError(f"the night of {model} went wrong: {ended.text}")

    async def memories(self, model_id: UUID) -> list[Memory]:
        """All that is or was known there."""
        states: tuple[MemoryState, ...] = ("held", "pending", "learned", "superseded", "rejected")
        async with self.sessions.begin() as session:
            return await MemoryStore(session).in_states(model_id, states)

    async def told(self, model: str, question: str) -> str:
        """What somebody else's chat is told in its system message."""
        messages = [{"role": "user", "content": question}]
        reply = {"role": "assistant", "content": "I see."}
        await self.chat(model, messages, reply, author="somebody else", store=False)
        said = [m["content"] for m in self.engine.seen if m["role"] == "system"]
        return "\n".join(said)


@asynccontextmanager
async def town(place: Path) -> AsyncIterator[Town]:
    """Everything set up in an empty folder, to the end of the block."""
    await asyncio.to_thread(_empty, place)
    engine = ScriptedEngine()
    await engine.start()
    env = {"DORMOUSE_ENGINE_URL": engine.url, "DORMOUSE_BASE_MODEL_NAME": BASE}
    only = ("postgres", "valkey", "migrations", "api")
    with LocalStack(place, only=only, env=env, assets=Home.at(None, None).path) as stack:
        await asyncio.to_thread(stack.start)
        settings = Settings(
            database_url=SecretStr(stack.env["DORMOUSE_DATABASE_URL"]),
            redis_url=SecretStr(stack.env["DORMOUSE_REDIS_URL"]),
            engine_url=engine.url,
            base_model_name=BASE,
            max_cycle_memories=MANY,
        )
        async with open_context(settings) as context:
            sessions = context.sessions
            async with sessions.begin() as session:
                found = select(TenantRow.id).where(TenantRow.name == DEFAULT)
                tenant_id = (await session.scalars(found)).one()
            async with httpx.AsyncClient(base_url=stack.url, timeout=120, trust_env=False) as http:
                made = Town(sessions, http, engine, context, tenant_id, stack.admin_key)
                made.keys["chat"] = await made.new_key("shop", "chat")
                made.keys["teacher"] = await made.new_key("anna", "teacher")
                yield made
    await engine.stop()
    await asyncio.to_thread(shutil.rmtree, place)


def _empty(place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
