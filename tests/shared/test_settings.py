"""Every setting is in the reference, and secrets may come from files."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.settings import Settings

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"


def test_every_setting_is_in_the_reference_and_nothing_else() -> None:
    lines = PAGE.read_text().splitlines()
    documented = {line.split("`")[1] for line in lines if line.startswith("| `DORMOUSE_")}
    assert documented == {f"DORMOUSE_{name.upper()}" for name in Settings.model_fields}


def test_a_secret_may_be_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dormouse_api_key").write_text("from-a-file-0123456789")
    monkeypatch.delenv("DORMOUSE_API_KEY", raising=False)
    settings = Settings(_secrets_dir=tmp_path)
    assert settings.api_key is not None
    assert settings.api_key.get_secret_value() == "from-a-file-0123456789"


def test_keys_are_not_shown() -> None:
    assert "hunter2" not in repr(Settings.model_validate({"api_key": "hunter2-hunter2-hunter2"}))


def test_a_key_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(ValidationError, match="api_key"):
        Settings.model_validate({"api_key": "hunter2"})
