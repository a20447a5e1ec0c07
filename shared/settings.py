"""Every setting, read from `DORMOUSE_*` environment variables or from secret files.

A secret may come as a file: `DORMOUSE_SECRETS_DIR/dormouse_api_key` stands for `DORMOUSE_API_KEY`.
"""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

# Of a bearer key that somebody else made up.
MIN_KEY_LENGTH = 16


class Settings(BaseSettings):
    """What an operator may set; the unit is in the name (`_S` seconds, `_BYTES`)."""

    model_config = SettingsConfigDict(
        env_prefix="DORMOUSE_",
        secrets_dir=os.environ.get("DORMOUSE_SECRETS_DIR"),
        extra="ignore",
    )

    # Services.
    database_url: SecretStr = Field(
        default=SecretStr("postgresql+psycopg://dormouse@localhost/dormouse"),
        description="SQLAlchemy address of PostgreSQL, `postgresql+psycopg://...`.",
    )
    redis_url: SecretStr = Field(
        default=SecretStr("redis://localhost:6379/0"), description="Valkey or Redis, for wake-ups."
    )
    engine_url: str = Field(
        default="http://localhost:8001",
        description="vLLM's OpenAI server, kept private; several, separated by commas, share the "
        "chats. Sleep cycles use the first.",
    )
    engine_api_key: SecretStr | None = None
    database_pool_size: int = Field(
        default=10, ge=2, description="Connections of one API process; one of them writes traces."
    )

    # Who may call. These two are for the first start: what `dormouse keys` decides stands.
    api_key: SecretStr | None = Field(
        default=None,
        min_length=MIN_KEY_LENGTH,
        description="Bearer key of the default tenant, made at the first start.",
    )
    api_key_role: Literal["chat", "teacher"] = Field(
        default="chat",
        description="What it is: an application's, which speaks for many authors, or a teacher's.",
    )
    admin_key: SecretStr | None = Field(
        default=None,
        min_length=MIN_KEY_LENGTH,
        description="Bearer key for /admin, made at the first start.",
    )

    # Who may teach.
    quorum: int = Field(
        default=2,
        ge=2,
        description="How many different authors must say the same before it may be taught, where "
        "no teacher said it.",
    )

    # Places on disk. The engine must see `adapters_dir` under the same path.
    adapters_dir: Path = Path(".dormouse/adapters")
    spool_dir: Path = Path(".dormouse/spool")
    base_model_path: str = Field(
        default=".dormouse/model", description="The base model's weights, for the trainer."
    )
    base_model_name: str = Field(
        default="SmolLM2-135M-Instruct", description="The engine's own name for the bare base."
    )

    # Chat.
    api_workers: int = Field(
        default=1, ge=1, description="Processes of `python -m api`; they share its port."
    )
    max_body_bytes: int = 4 * 1024 * 1024
    max_choices: int = Field(default=8, description="Largest `n` that a client may ask for.")
    max_running_chats: int = Field(
        default=512, ge=1, description="Chats that one API process has at the engine at once."
    )
    max_running_chats_per_key: int = Field(
        default=256, ge=1, description="How many of them one key may have; its others wait."
    )
    max_waiting_chats_per_key: int = Field(
        default=256, ge=0, description="Above this a key's chats are refused with 429."
    )
    chat_wait_s: float = Field(
        default=30.0, gt=0, description="A chat that waited this long is refused with 429."
    )
    max_completion_tokens: int | None = Field(
        default=None, ge=1, description="Largest `max_tokens` that a client may ask for."
    )
    max_context_memories: int = Field(
        default=5,
        description="Lessons that a chat is given in its context because no adapter holds them "
        "yet; 0 gives none.",
    )
    engine_connect_timeout_s: float = 5.0
    engine_idle_timeout_s: float = Field(
        default=120.0,
        description="Longest silence of the engine in a stream.",
    )
    engine_reply_timeout_s: float = Field(
        default=600.0, description="Longest wait for a reply that is no stream."
    )
    engine_check_interval_s: float = 1.0
    spool_max_bytes: int = 256 * 1024 * 1024
    trace_retention_days: int | None = Field(
        default=None,
        ge=1,
        description="Whole days (UTC) that a trace is kept. Evidence of a memory and what no cycle "
        "has looked at yet stay longer. Unset keeps everything.",
    )

    erased_adapter_wait_s: float = Field(
        default=3600.0,
        ge=0,
        description="The files of an erased version are deleted after this: replies that began on "
        "it end first.",
    )

    # When to sleep. All of it is off by default: sleep cycles are started on demand.
    sleep_cron: str | None = Field(default=None, description='Cron line in UTC, "0 3 * * *".')
    sleep_idle_s: float | None = Field(
        default=None, description="Sleep once no chat came for this long."
    )
    sleep_min_traces: int = Field(
        default=1,
        ge=0,
        description="A scheduled cycle needs at least this many queued traces or documents; for a "
        "cron line late feedback and lessons that wait count too.",
    )

    # The cycle.
    beat_interval_s: float = 5.0
    lease_s: float = Field(
        default=20.0, description="A worker silent for this long lost its cycle."
    )
    max_cycle_traces: int = Field(default=2000, ge=1, le=50_000)
    max_cycle_memories: int = Field(
        default=10, description="Memories that one cycle learns; more wait for the next."
    )
    max_stage_attempts: int = Field(
        default=3, description="How often a stage is tried before the cycle fails."
    )
    max_cycle_attempts: int = Field(
        default=8, description="How often a cycle is begun, should its worker die, before it fails."
    )
    engine_wait_s: float = Field(
        default=300.0, description="How long a stage waits for an engine that is away."
    )
    recurrent_passes: int = Field(
        default=1,
        ge=0,
        description="How often facts are read again to put them together: each pass joins one more "
        "in a conclusion; 0 draws none.",
    )
    num_dreams: int = 300
    max_replays: int = 1000
    train_num_threads: int = 2
    train_recipe: dict[str, Any] = Field(
        default={},
        description="What differs from the trainer's recipe, as a JSON object of its fields "
        '(`worker/trainer/job.py`): {"learning_rate": 0.0005}.',
    )
    train_timeout_s: float = 3600.0
    gate_concurrency: int = 32
    gate_max_general: int = Field(
        default=100, ge=50, description="Largest number of capability probes; fewer show little."
    )
    gate_max_detail_leaks: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="Share of the lessons' own questions, asked of something else that the subject "
        "has, that may get the taught value. 1: reported alone; on the 135M model three "
        "in four got it, in one night (decision 0046).",
    )
    log_level: str = "INFO"

    @property
    def engine_urls(self) -> list[str]:
        """The engines, without what is empty."""
        return [url.strip() for url in self.engine_url.split(",") if url.strip()]


@lru_cache
def get_settings() -> Settings:
    """The process's settings, read once."""
    return Settings()
