"""The API as the command line uses it: one method for each call of the outside contract."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, BinaryIO, Self
from urllib.parse import quote

import httpx

from cli.errors import ApiError, StackNotRunningError
from cli.home import Home
from shared.contracts.base import PAGE_SIZE

Json = dict[str, Any]
NAMES = ("DORMOUSE_URL", "DORMOUSE_API_KEY", "DORMOUSE_ADMIN_KEY")


@dataclass
class ChatReply:
    """What a streamed reply says besides its text; filled while the text is read.

    Attributes:
        trace: The trace's id, for feedback.
        adapter: The version that answers, or `base`.
        memories: The ids of the lessons that the model was given in its context, by commas.
        text: What was read so far.
    """

    trace: str = ""
    adapter: str = ""
    memories: str = ""
    text: str = ""
    _parts: list[str] = field(default_factory=list, repr=False)

    def add(self, part: str) -> None:
        """Append a piece of the text."""
        self._parts.append(part)
        self.text = "".join(self._parts)


class DormouseClient:
    """A client of one Dormouse.

    Args:
        url: Its address.
        api_key: The key for /v1.
        admin_key: The key for /admin.
    """

    def __init__(self, url: str, api_key: str = "", admin_key: str = "") -> None:
        self._api_key = api_key
        self._admin_key = admin_key
        # No total time-out: a chat may wait for an engine on two cores.
        timeout = httpx.Timeout(30.0, read=300.0)
        self._http = httpx.Client(base_url=url, timeout=timeout, trust_env=False)

    @classmethod
    def from_home(cls, home: Home, environ: Mapping[str, str] = os.environ) -> Self:
        """A client of the stack at `home`; address and keys in the environment win.

        Raises:
            StackNotRunningError: If no address is known.
        """
        values = {**home.read_env(), **{n: environ[n] for n in NAMES if environ.get(n)}}
        if "DORMOUSE_URL" not in values:
            raise StackNotRunningError(
                f"No Dormouse is known: there is no {home.local_env}. Start one with `dormouse up`,"
                " or set DORMOUSE_URL, DORMOUSE_API_KEY and DORMOUSE_ADMIN_KEY."
            )
        return cls(*(values.get(name, "") for name in NAMES))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._http.close()

    def chat(
        self,
        messages: list[Json],
        *,
        reply: ChatReply,
        model: str = "default",
        session: str | None = None,
        adapter: str | None = None,
        **options: Any,
    ) -> Iterator[str]:
        """Stream one answer's text; `reply` is filled on the way.

        With `adapter`, a version or `base`, an operator asks that one instead of the active one.

        Raises:
            ApiError: If the API refuses, or the stream breaks.
        """
        headers = self._headers(admin=adapter is not None)
        if session:
            headers["X-Dormouse-Session"] = session
        if adapter:
            headers["X-Dormouse-Adapter"] = adapter
        body = {"model": model, "messages": messages, "stream": True, **options}
        request = self._http.build_request(
            "POST", "/v1/chat/completions", json=body, headers=headers
        )
        try:
            response = self._http.send(request, stream=True)
            try:
                if response.status_code >= 400:
                    response.read()
                    raise _refusal(response)
                reply.trace = response.headers.get("X-Dormouse-Trace", "")
                reply.adapter = response.headers.get("X-Dormouse-Adapter", "")
                reply.memories = response.headers.get("X-Dormouse-Memories", "")
                for line in response.iter_lines():
                    part = _text_of(line)
                    if part:
                        reply.add(part)
                        yield part
            finally:
                response.close()
        except httpx.HTTPError as error:
            raise self._no_answer(error) from error

    def models(self) -> Json:
        """`GET /v1/models`."""
        return self._call("GET", "/v1/models", admin=False)

    def give_feedback(
        self,
        trace: str,
        *,
        rating: float | None = None,
        correction: str | None = None,
        comment: str | None = None,
        user: str | None = None,
    ) -> Json:
        """`POST /v1/feedback`."""
        body = {
            "trace_id": trace,
            "rating": rating,
            "correction": correction,
            "comment": comment,
            "user": user,
        }
        given = {name: value for name, value in body.items() if value is not None}
        return self._call("POST", "/v1/feedback", json=given, admin=False)

    def start_cycle(
        self, *, model: str = "default", reason: str | None = None, stop_after: str | None = None
    ) -> Json:
        """`POST /admin/sleep-cycles`."""
        body = {"model": model} | _given(reason=reason, stop_after=stop_after)
        return self._call("POST", "/admin/sleep-cycles", json=body)

    def cycles(self) -> list[Json]:
        """`GET /admin/sleep-cycles`, newest first."""
        return self._list("/admin/sleep-cycles")

    def cycle(self, cycle_id: str) -> Json:
        """`GET /admin/sleep-cycles/{id}`."""
        return self._call("GET", f"/admin/sleep-cycles/{cycle_id}")

    def cancel_cycle(self, cycle_id: str) -> Json:
        """`POST /admin/sleep-cycles/{id}/cancel`."""
        return self._call("POST", f"/admin/sleep-cycles/{cycle_id}/cancel")

    def adapters(self) -> list[Json]:
        """`GET /admin/adapters`, newest first."""
        return self._list("/admin/adapters")

    def adapter(self, version: int, *, model: str = "default") -> Json:
        """`GET /admin/adapters/{version}`."""
        return self._call("GET", f"/admin/adapters/{version}", params={"model": model})

    def trace(self, trace_id: str) -> Json:
        """`GET /admin/traces/{id}`."""
        return self._call("GET", f"/admin/traces/{trace_id}")

    def export_traces(self, *, model: str = "default") -> Iterator[bytes]:
        """`GET /admin/traces`, as the bytes come.

        Raises:
            ApiError: If the API refuses, or the stream breaks.
        """
        headers = self._headers(admin=True)
        try:
            with self._http.stream(
                "GET", "/admin/traces", params={"model": model}, headers=headers
            ) as response:
                if response.status_code >= 400:
                    response.read()
                    raise _refusal(response)
                yield from response.iter_bytes()
        except httpx.HTTPError as error:
            raise self._no_answer(error) from error

    def erase(self, kind: str, item_id: str, *, reason: str | None = None) -> Json:
        """`DELETE /admin/traces/{id}` or `/admin/documents/{id}`; `kind` is one of these words."""
        params = {"reason": reason} if reason else {}
        return self._call("DELETE", f"/admin/{kind}/{item_id}", params=params)

    def erase_author(self, name: str, *, reason: str | None = None) -> Json:
        """`DELETE /admin/authors/{name}`."""
        path = f"/admin/authors/{quote(name, safe='')}"
        return self._call("DELETE", path, params=_given(reason=reason))

    def import_traces(self, lines: BinaryIO, *, model: str = "default") -> Json:
        """`POST /admin/traces`."""
        return self._call("POST", "/admin/traces", params={"model": model}, content=lines)

    def study(self, title: str, text: str, *, model: str = "default") -> Json:
        """`POST /admin/documents`."""
        body = {"model": model, "title": title, "text": text}
        return self._call("POST", "/admin/documents", json=body)

    def documents(self) -> list[Json]:
        """`GET /admin/documents`, all pages."""
        return self._pages("/admin/documents")

    def memories(self, *, state: str | None = None, held_for: str | None = None) -> list[Json]:
        """`GET /admin/memories`, all pages."""
        return self._pages("/admin/memories", _given(state=state, held_for=held_for))

    def memory(self, memory_id: str) -> Json:
        """`GET /admin/memories/{id}`."""
        return self._call("GET", f"/admin/memories/{memory_id}")

    def review(
        self, memory_id: str, *, decision: str, reason: str, words: dict[str, str] | None = None
    ) -> Json:
        """`POST /admin/memories/{id}/review`; an edit has `words`: question, answer or value."""
        body = {"decision": decision, "reason": reason, **(words or {})}
        return self._call("POST", f"/admin/memories/{memory_id}/review", json=body)

    def review_many(self, memory_ids: list[str], *, decision: str, reason: str) -> Json:
        """`POST /admin/memories/review`, as often as their number takes."""
        decided: list[str] = []
        not_decided: dict[str, str] = {}
        for start in range(0, len(memory_ids), PAGE_SIZE):
            ids = memory_ids[start : start + PAGE_SIZE]
            body = {"ids": ids, "decision": decision, "reason": reason}
            reply = self._call("POST", "/admin/memories/review", json=body)
            decided += reply["decided"]
            not_decided |= reply["not_decided"]
        return {"decided": decided, "not_decided": not_decided}

    def rollback(
        self, *, model: str = "default", to: int | str | None = None, relearn: bool = False
    ) -> Json:
        """`POST /admin/rollback`."""
        body: Json = {"model": model, "relearn": relearn} | ({"to": to} if to is not None else {})
        return self._call("POST", "/admin/rollback", json=body)

    def keys(self) -> list[Json]:
        """`GET /admin/keys`, oldest first."""
        return self._list("/admin/keys")

    def add_key(self, *, name: str, role: str, expires_at: str | None = None) -> Json:
        """`POST /admin/keys`; the reply's `key` is shown by no other."""
        body = {"name": name, "role": role, "expires_at": expires_at}
        return self._call("POST", "/admin/keys", json=body)

    def revoke_key(self, key_id: str) -> Json:
        """`DELETE /admin/keys/{id}`."""
        return self._call("DELETE", f"/admin/keys/{key_id}")

    def _headers(self, *, admin: bool) -> dict[str, str]:
        # A teacher's key, without an admin's, may review.
        key = (self._admin_key or self._api_key) if admin else self._api_key
        return {"Authorization": f"Bearer {key}"} if key else {}

    def _pages(self, path: str, params: dict[str, str] | None = None) -> list[Json]:
        asked = dict(params or {})
        rows: list[Json] = []
        while True:
            page: list[Json] = self._call("GET", path, params=asked)["data"]
            rows += page
            if len(page) < PAGE_SIZE:
                return rows
            asked["after"] = page[-1]["id"]

    def _list(self, path: str) -> list[Json]:
        rows: list[Json] = self._call("GET", path)["data"]
        return rows

    def _call(self, method: str, path: str, *, admin: bool = True, **options: Any) -> Json:
        try:
            response = self._http.request(
                method, path, headers=self._headers(admin=admin), **options
            )
        except httpx.HTTPError as error:
            raise self._no_answer(error) from error
        if response.status_code >= 400:
            raise _refusal(response)
        try:
            body: Json = response.json()
        except ValueError as error:
            raise ApiError(
                f"{method} {path} answered something that is not JSON. Is a Dormouse at "
                f"{self._http.base_url}?",
                status_code=response.status_code,
            ) from error
        return body

    def _no_answer(self, error: httpx.HTTPError) -> ApiError:
        if isinstance(error, httpx.ConnectError):
            return ApiError(
                f"Nothing answers at {self._http.base_url}. Is it running? See `dormouse status`."
            )
        return ApiError(f"{self._http.base_url} did not answer well: {error!r}")


def _given(**params: str | None) -> dict[str, str]:
    return {name: value for name, value in params.items() if value}


def _refusal(response: httpx.Response) -> ApiError:
    """The API's error, from OpenAI's envelope where it is one."""
    message, code = "", "api_error"
    try:
        error = response.json()["error"]
        message, code = str(error["message"]), str(error.get("code") or code)
    except (ValueError, KeyError, TypeError):
        message = response.text.strip()[:300] or response.reason_phrase
    if response.status_code == 401:
        message += " (keys: DORMOUSE_API_KEY, DORMOUSE_ADMIN_KEY, or local.env)"
    return ApiError(
        f"{message} [{response.status_code} {code}]", status_code=response.status_code, code=code
    )


def _text_of(line: str) -> str:
    """The text that one line of the event stream adds.

    Raises:
        ApiError: If the line reports an error.
    """
    if not line.startswith("data:") or line.removeprefix("data:").strip() == "[DONE]":
        return ""
    chunk = json.loads(line.removeprefix("data:"))
    if "error" in chunk:
        raise ApiError(f"The answer broke off: {chunk['error'].get('message', chunk['error'])}")
    choices = chunk.get("choices") or [{}]
    return choices[0].get("delta", {}).get("content") or ""
