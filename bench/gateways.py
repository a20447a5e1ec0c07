"""Those that the gateway bench compares, running in front of one stub engine."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.stub_engine import MODEL
from cli.home import Home
from cli.stack import LocalStack

READY_TIMEOUT_S = 90.0
KEY = "sk-bench"


@dataclass(frozen=True)
class Gateway:
    """Somebody in front of the stub."""

    name: str
    url: str
    model: str = "default"
    key: str = KEY


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def running(argv: list[str], health: str, log: Path, **env: str) -> Iterator[None]:
    """A process, until it answers and then to the end of the block."""
    # A bench that is told to end ends it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    surroundings = {**os.environ, "NO_PROXY": "127.0.0.1", **env}
    with log.open("wb") as output:
        process = subprocess.Popen(
            argv, env=surroundings, stdout=output, stderr=output, start_new_session=True
        )
        try:
            deadline = time.monotonic() + READY_TIMEOUT_S
            while not _answers(health):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{argv[0]} did not start; see {log}")
                time.sleep(0.3)
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return bool(response.status < 500)
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


@contextmanager
def gateways(place: Path) -> Iterator[list[Gateway]]:
    """All of them, running."""
    place.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stub, floor, bare, lite = (free_port() for _ in range(4))
        stub_url = f"http://127.0.0.1:{stub}"
        stack.enter_context(
            running(
                [sys.executable, "-m", "bench.stub_engine", str(stub)],
                f"{stub_url}/health",
                place / "stub.log",
            )
        )
        found = [Gateway("the stub itself", stub_url)]
        found = [Gateway("the stub itself", stub_url)]
        if shutil.which("nginx"):
            stack.enter_context(_nginx(stub, floor, place))
            found.append(Gateway("nginx, nothing recorded", f"http://127.0.0.1:{floor}"))
        stack.enter_context(
            running(
                [*_uvicorn("bench.pass_through:app"), "--port", str(bare)],
                f"http://127.0.0.1:{bare}/docs",
                place / "bare.log",
                STUB_URL=stub_url,
            )
        )
        found.append(Gateway("bare pass-through", f"http://127.0.0.1:{bare}"))
        ours = LocalStack(
            place / "stack",
            env={"DORMOUSE_ENGINE_URL": stub_url, "DORMOUSE_BASE_MODEL_NAME": MODEL},
            assets=Home.at(None, None).path,
        )
        stack.enter_context(ours).start()
        found.append(Gateway("Dormouse, traces durable", ours.url, key=ours.api_key))
        proxy = Home.at(None, None).path / "litellm-venv" / "bin" / "litellm"
        if proxy.exists():
            stack.enter_context(_litellm(proxy, stub_url, lite, place))
            found.append(Gateway("LiteLLM's proxy, no logging", f"http://127.0.0.1:{lite}"))
        yield found


def _uvicorn(app: str) -> list[str]:
    return [sys.executable, "-m", "uvicorn", app, "--host", "127.0.0.1", "--no-access-log"]


@contextmanager
def _nginx(stub: int, port: int, place: Path) -> Iterator[None]:
    folder = place.resolve() / "nginx"
    folder.mkdir(exist_ok=True)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"  {kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    config = folder / "nginx.conf"
    config.write_text(
        "daemon off;\nmaster_process off;\n"
        f"pid {folder}/pid;\nerror_log {folder}/error.log;\n"
        "events { worker_connections 4096; }\n"
        "http {\n"
        "  access_log off;\n"
        f"{temporary}"
        f"  upstream stub {{ server 127.0.0.1:{stub}; keepalive 256; }}\n"
        "  server {\n"
        f"    listen 127.0.0.1:{port};\n"
        "    location / {\n"
        "      proxy_pass http://stub;\n"
        "      proxy_http_version 1.1;\n"
        '      proxy_set_header Connection "";\n'
        "      proxy_buffering off;\n"
        "    }\n  }\n}\n"
    )
    argv = ["nginx", "-c", str(config), "-e", str(folder / "error.log")]
    with running(argv, f"http://127.0.0.1:{port}/health", place / "nginx.log"):
        yield


@contextmanager
def _litellm(proxy: Path, stub_url: str, port: int, place: Path) -> Iterator[None]:
    config = place / "litellm.yaml"
    config.write_text(
        "model_list:\n"
        "  - model_name: default\n"
        "    litellm_params:\n"
        f"      model: openai/{MODEL}\n"
        f"      api_base: {stub_url}/v1\n"
        "      api_key: none\n"
    )
    argv = [str(proxy), "--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    with running(
        argv,
        f"http://127.0.0.1:{port}/health/liveliness",
        place / "litellm.log",
        LITELLM_MASTER_KEY=KEY,
        LITELLM_LOCAL_MODEL_COST_MAP="True",
        LITELLM_LOG="ERROR",
    ):
        yield
