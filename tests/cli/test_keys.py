"""`dormouse keys` against a server that plays the API."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from tests.cli.test_commands import dormouse
from tests.fakes.api import FakeApi

NOW = datetime.now(UTC)
SECRET = "dm-_Zk3[red]x" + "y" * 90


def key(**fields: Any) -> dict[str, Any]:
    unset = dict.fromkeys(("created_by", "expires_at", "revoked_at", "last_used_at"))
    return (
        {"id": "k1", "name": "shop", "role": "chat", "created_at": NOW.isoformat()} | unset | fields
    )


def rows(output: str) -> list[list[str]]:
    return [line.split() for line in output.splitlines()[1:]]


def test_keys_are_listed_with_their_use_their_end_and_their_state(api: FakeApi) -> None:
    past, future = (NOW - timedelta(days=1)).isoformat(), "2999-01-02T03:04:05Z"
    listed = [
        key(last_used_at="2026-05-06T07:08:00Z"),
        key(id="k2", name="anna", role="teacher", expires_at=future),
        key(id="k3", name="[red]ben", role="teacher", expires_at=past),
        key(id="k4", name="old", role="admin", expires_at=past, revoked_at=past),
    ]
    api.replies["GET /admin/keys"] = (200, {"data": listed})
    shown = rows(dormouse("keys").output)
    assert shown[0] == ["k1", "shop", "chat", "2026-05-06", "07:08", "never", "usable"]
    assert shown[1] == ["k2", "anna", "teacher", "never", "2999-01-02", "03:04", "usable"]
    assert shown[2][:2] == ["k3", "[red]ben"]
    assert [row[-1] for row in shown] == ["usable", "usable", "expired", "revoked"]
    assert api.requests[0][1]["Authorization"] == "Bearer admin-key"


def test_a_new_key_goes_alone_to_standard_output_and_is_said_to_be_shown_once(
    api: FakeApi,
) -> None:
    api.replies["POST /admin/keys"] = (201, key(key=SECRET))
    result = dormouse("keys", "add", "--role", "chat", "--name", "shop")
    assert result.exit_code == 0
    assert result.stdout == f"{SECRET}\n"
    assert "shown this once" in result.stderr
    assert SECRET not in result.stderr
    assert api.requests[0][2] == {"name": "shop", "role": "chat", "expires_at": None}


def test_days_until_a_key_ends_are_counted_from_now_in_utc(api: FakeApi) -> None:
    api.replies["POST /admin/keys"] = (201, key(key=SECRET))
    command = ("keys", "add", "--role", "teacher", "--name", "anna", "--expires-days")
    began = datetime.now(UTC)
    assert dormouse(*command, "90").exit_code == 0
    expires_at = datetime.fromisoformat(api.requests[0][2]["expires_at"])
    assert timedelta(0) <= expires_at - began - timedelta(days=90) < timedelta(minutes=5)
    assert dormouse(*command, "0").exit_code == 2
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    "missing", [("--role", "chat"), ("--name", "x"), ("--role", "owner", "--name", "x")]
)
def test_a_key_needs_a_name_and_one_of_the_roles(api: FakeApi, missing: tuple[str, ...]) -> None:
    assert dormouse("keys", "add", *missing).exit_code == 2
    assert api.requests == []


def test_a_key_is_revoked_by_its_id(api: FakeApi) -> None:
    api.replies["DELETE /admin/keys/k1"] = (200, key(revoked_at=NOW.isoformat()))
    result = dormouse("keys", "revoke", "k1")
    assert (result.exit_code, "Revoked: the chat key shop." in result.output) == (0, True)


def test_a_refusal_is_one_clear_line(api: FakeApi) -> None:
    last = {"error": {"message": "It is the last. Make one first.", "code": "last_admin_key"}}
    api.replies["DELETE /admin/keys/k1"] = (409, last)
    result = dormouse("keys", "revoke", "k1")
    assert result.exit_code == 1
    assert result.output == "error It is the last. Make one first. [409 last_admin_key]\n"


def test_the_home_may_stand_before_the_subcommand_or_behind_it(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    api.replies["DELETE /admin/keys/k1"] = (200, key())
    api.replies["GET /admin/keys"] = (200, {"data": []})
    monkeypatch.delenv("DORMOUSE_ADMIN_KEY")
    (tmp_path / "local.env").write_text("DORMOUSE_ADMIN_KEY='of this home'\n")
    home = ("--home", str(tmp_path))
    for command in (
        ("keys", *home),
        ("keys", *home, "revoke", "k1"),
        ("keys", "revoke", "k1", *home),
    ):
        assert dormouse(*command).exit_code == 0
        assert api.requests[-1][1]["Authorization"] == "Bearer of this home"


def test_help_teaches_roles_examples_and_the_way_back() -> None:
    def help_of(*command: str) -> str:
        result = CliRunner(env={"COLUMNS": "200"}).invoke(app, [*command, "--help"])
        assert result.exit_code == 0
        return result.output

    assert "keys" in help_of()
    listing = help_of("keys")
    for word in ("chat", "teacher", "admin", "add", "revoke", "python -m api.keys"):
        assert word in listing
    assert "dormouse keys add --role teacher --name anna --expires-days 90" in help_of(
        "keys", "add"
    )
    assert "for good" in help_of("keys", "revoke")
