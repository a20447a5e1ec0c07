"""A small HTTP server that plays the API, for tests of the command line."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FakeApi(ThreadingHTTPServer):
    """Answers what `replies` says for `METHOD /path?query`, or `METHOD /path`.

    Remembers what was asked.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies: dict[str, tuple[int, Any]] = {}
        self.requests: list[tuple[str, dict[str, str], Any]] = []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def _answer(self) -> None:
        assert isinstance(self.server, FakeApi)
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size)) if size else None
        call = f"{self.command} {self.path.partition('?')[0]}"
        self.server.requests.append((call, dict(self.headers), body))
        exactly = self.server.replies.get(f"{self.command} {self.path}")
        status, reply = exactly or self.server.replies[call]
        content = reply if isinstance(reply, str) else json.dumps(reply)
        self.send_response(status)
        self.send_header("X-Dormouse-Trace", "t1")
        self.send_header("X-Dormouse-Adapter", "4")
        self.end_headers()
        self.wfile.write(content.encode())

    def log_message(self, format: str, *args: object) -> None:
        return
