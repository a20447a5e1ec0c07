"""docker-compose.yml, read by Docker Compose's own parser, for both profiles."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[2]
COMPOSE = Path(sys.executable).parent / "docker-compose"
ONE_SHOTS = {"migrate", "model", "volumes"}
PROFILES = ["gpu", "cpu"]

Services = dict[str, dict[str, Any]]


def read(*flags: str, project: Path = PROJECT, profiles: str | None = None) -> dict[str, Any]:
    environ = {name: value for name, value in os.environ.items() if "DORMOUSE" not in name}
    environ.pop("COMPOSE_PROFILES", None)
    if profiles is not None:
        environ["COMPOSE_PROFILES"] = profiles
    command = [str(COMPOSE), "--project-directory", str(project)]
    command += ["--env-file", str(project / ".env.example")]
    command += [*flags, "config", "--format", "json"]
    result = subprocess.run(command, env=environ, cwd=project, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    content: dict[str, Any] = json.loads(result.stdout)
    return content


@pytest.fixture(scope="module", params=PROFILES)
def services(request: pytest.FixtureRequest) -> Services:
    content: Services = read("--profile", request.param)["services"]
    return content


def test_plain_up_takes_the_gpu_and_a_profile_takes_the_cpu() -> None:
    assert "engine" in read()["services"]
    assert "engine-cpu" not in read()["services"]
    for on_cpu in (read("--profile", "cpu")["services"], read(profiles="cpu")["services"]):
        assert "engine" not in on_cpu
        assert on_cpu["engine-cpu"]["networks"]["engine"]["aliases"] == ["engine"]


def test_the_gpu_is_reserved_for_the_engine_alone() -> None:
    for name, service in read("--profile", "gpu")["services"].items():
        assert ("deploy" in service) == (name == "engine")


def test_only_the_api_is_published_and_only_on_this_host(services: Services) -> None:
    published = {name for name, service in services.items() if service.get("ports")}
    assert published == {"api"}
    assert services["api"]["ports"][0]["host_ip"] == "127.0.0.1"


def test_the_engine_is_on_an_internal_network_only(services: Services) -> None:
    engine = next(service for name, service in services.items() if name.startswith("engine"))
    assert set(engine["networks"]) == {"engine"}
    networks = read()["networks"]
    assert networks["engine"]["internal"]
    assert networks["data"]["internal"]
    on_edge = {name for name, service in services.items() if "edge" in service.get("networks", {})}
    assert on_edge == {"api"}


def test_no_secret_is_written_down(services: Services) -> None:
    for name, service in services.items():
        for variable, value in (service.get("environment") or {}).items():
            secret = any(word in variable for word in ("PASSWORD", "KEY", "SECRET", "TOKEN"))
            assert not secret or str(value).startswith("/run/secrets"), (name, variable)
        command = json.dumps([service.get("command"), service.get("entrypoint")])
        assert "--api-key" not in command


def test_every_secret_is_a_file_that_the_script_makes(tmp_path: Path, services: Services) -> None:
    made = make_secrets(tmp_path)
    secrets = read()["secrets"]
    assert {name: Path(secret["file"]).name for name, secret in secrets.items()} == {
        path.stem: path.name for path in made
    }
    used = {secret for service in services.values() for secret in sources(service)}
    assert used == set(secrets)


def test_secrets_are_random_private_and_kept(tmp_path: Path) -> None:
    first = {path.name: path.read_text() for path in make_secrets(tmp_path)}
    assert first == {path.name: path.read_text() for path in make_secrets(tmp_path)}
    assert (tmp_path / "docker" / "secrets").stat().st_mode & 0o777 == 0o700
    assert first["postgres_password.txt"] in first["dormouse_database_url.txt"]
    assert first["valkey_password.txt"] in first["dormouse_redis_url.txt"]
    random = [name for name in first if not name.endswith("_url.txt")]
    assert len({first[name] for name in random}) == len(random)
    assert all(len(first[name]) >= 48 for name in random)


def test_services_read_their_secrets_from_files(services: Services) -> None:
    for name in ("api", "worker", "beat", "migrate"):
        assert services[name]["environment"]["DORMOUSE_SECRETS_DIR"] == "/run/secrets"
        assert "dormouse_database_url" in sources(services[name])
    assert {"dormouse_api_key", "dormouse_admin_key"} <= sources(services["api"])
    assert not {"dormouse_api_key", "dormouse_admin_key"} & sources(services["worker"])
    assert services["postgres"]["environment"]["POSTGRES_PASSWORD_FILE"].startswith("/run/secrets")


def test_a_setting_in_the_env_file_reaches_whoever_reads_it(tmp_path: Path) -> None:
    for name in ("docker-compose.yml", ".env.example"):
        (tmp_path / name).write_text((PROJECT / name).read_text())
    (tmp_path / ".env").write_text("DORMOUSE_SLEEP_CRON=0 3 * * *\n")
    found: Services = read("--profile", "cpu", project=tmp_path)["services"]
    for name in ("api", "worker", "beat"):
        assert found[name]["environment"]["DORMOUSE_SLEEP_CRON"] == "0 3 * * *"
        assert found[name]["environment"]["DORMOUSE_SECRETS_DIR"] == "/run/secrets"
    assert "DORMOUSE_SLEEP_CRON" not in (found["postgres"].get("environment") or {})


def test_what_runs_for_long_is_checked_and_restarted(services: Services) -> None:
    for name in services.keys() - ONE_SHOTS:
        assert services[name]["healthcheck"]["test"], name
        assert services[name]["restart"] == "unless-stopped", name


def test_nothing_starts_before_the_tables_are_there(services: Services) -> None:
    for name in ("api", "worker", "beat"):
        migrate = services[name]["depends_on"]["migrate"]
        assert migrate["condition"] == "service_completed_successfully"
    assert services["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"


def test_only_the_worker_may_write_adapters(services: Services) -> None:
    mounts = {
        name: mount.get("read_only", False)
        for name, service in services.items()
        for mount in service.get("volumes") or []
        if mount["source"] == "adapters"
    }
    engine = next(name for name in services if name.startswith("engine"))
    assert mounts == {"api": True, engine: True, "worker": False, "volumes": False}


def test_foreign_images_are_pinned_to_a_version(services: Services) -> None:
    for name, service in services.items():
        if "build" not in service:
            tag = service["image"].rpartition(":")[2]
            assert any(digit.isdigit() for digit in tag), (name, service["image"])


def make_secrets(project: Path) -> list[Path]:
    """Run a copy of the script, so that it writes nothing into the project."""
    folder = project / "docker"
    folder.mkdir(exist_ok=True)
    script = folder / "make-secrets.sh"
    script.write_bytes((PROJECT / "docker" / "make-secrets.sh").read_bytes())
    (project / ".env.example").write_bytes((PROJECT / ".env.example").read_bytes())
    subprocess.run(["bash", script], check=True, capture_output=True)
    return sorted((folder / "secrets").iterdir())


def sources(service: dict[str, Any]) -> set[str]:
    return {secret["source"] for secret in service.get("secrets") or []}


def test_the_model_lies_in_a_folder_of_its_volume(services: Services) -> None:
    # It is written beside its final place and then renamed, which a mount point itself forbids.
    engine = next(service for name, service in services.items() if name.startswith("engine"))
    assert any("/var/lib/dormouse/models/base" in argument for argument in engine["command"])
    for service in services.values():
        for mount in service.get("volumes") or []:
            assert mount["source"] != "model" or mount["target"] == "/var/lib/dormouse/models"
