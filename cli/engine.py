"""vLLM on CPU, from the environment that `make setup` built for it."""

import os
import shlex
from dataclasses import dataclass

from cli.answers import answers
from cli.engine_dtype import engine_dtype
from cli.errors import StackError
from cli.home import Home
from cli.service import Service

MODEL_NAME = "SmolLM2-135M-Instruct"


# All linear layers and nothing else. With the default, the output layer is wrapped too, and then a
# request for `prompt_logprobs` kills the engine (vLLM 0.32 on CPU).
LORA_TARGET_MODULES = (
    "q_proj",
    "k_proj",
    "v_proj",
    "o_proj",
    "gate_proj",
    "up_proj",
    "down_proj",
)


# Whatever else vLLM should be started with, as a shell would read it.
MORE_ARGUMENTS = "DORMOUSE_ENGINE_ARGS"


@dataclass(frozen=True)
class Engine:
    """One private vLLM server.

    Attributes:
        home: Where its environment and the model lie.
        port: Its port on 127.0.0.1.
        api_key: The key that the API and the worker use.
    """

    home: Home
    port: int
    api_key: str

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def service(self) -> Service:
        """How the supervisor runs it.

        Raises:
            StackError: If its environment or the model has not been built.
        """
        if not self.home.engine_python.exists():
            raise StackError(
                f"There is no engine environment at {self.home.assets / 'engine-venv'}. "
                "Run `make setup`, or set DORMOUSE_ENGINE_URL to an engine elsewhere."
            )
        if not (self.home.model / "config.json").exists():
            raise StackError(f"There is no base model at {self.home.model}. Run `make setup`.")
        caches = self.home.assets / "engine-cache"
        return Service(
            name="engine",
            argv=(str(self.home.engine_python), "-m", *self._arguments()),
            env={
                # No key on the command line: other accounts can read that.
                "VLLM_API_KEY": self.api_key,
                "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True",
                "VLLM_CPU_KVCACHE_SPACE": "1",
                "VLLM_MAX_N_SEQUENCES": "64",
                "VLLM_NO_USAGE_STATS": "1",
                "VLLM_CACHE_ROOT": str(caches),
                "TORCHINDUCTOR_CACHE_DIR": str(caches / "inductor"),
                # Two stacks, or a trainer, on the same cores: pinned threads would queue up.
                "VLLM_CPU_OMP_THREADS_BIND": "nobind",
                "OMP_NUM_THREADS": str(len(os.sched_getaffinity(0))),
                # Threads that wait must not spin for long, or chats crawl beside a trainer.
                "GOMP_SPINCOUNT": "5000",
                # The model runs in the scheduler's process. In one of its own, the scheduler waits
                # for it by yielding in a loop, which takes a third of two cores (decision 0037).
                "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
                "HF_HUB_OFFLINE": "1",
            },
            ready=self.answers,
            cwd=self.home.run,
            stop_timeout_s=15.0,
            ready_timeout_s=600.0,
        )

    def answers(self) -> bool:
        """Whether it serves."""
        return answers(f"{self.url}/health", timeout_s=1.0)

    def _arguments(self) -> tuple[str, ...]:
        # `vllm serve` fails with the CPU wheel, whose distribution is not named `vllm`.
        flags = {
            "--model": str(self.home.model),
            "--served-model-name": MODEL_NAME,
            "--host": "127.0.0.1",
            "--port": str(self.port),
            "--dtype": engine_dtype(self.home),
            "--generation-config": "vllm",
            "--max-model-len": "2048",
            "--max-num-batched-tokens": "512",
            "--max-loras": "3",
            "--max-cpu-loras": "8",
            "--max-lora-rank": "32",
            "--scheduling-policy": "priority",
            "--tool-call-parser": "hermes",
        }
        return (
            "vllm.entrypoints.openai.api_server",
            "--enable-lora",
            "--enable-auto-tool-choice",
            "--disable-uvicorn-access-log",  # the API looks every second
            *(part for flag in flags.items() for part in flag),
            "--lora-target-modules",
            *LORA_TARGET_MODULES,
            *shlex.split(os.environ.get(MORE_ARGUMENTS, "")),
        )
