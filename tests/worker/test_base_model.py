"""What stands where the base model is to be unpacked is somebody's: it is used, never replaced."""

from pathlib import Path

import pytest

from worker.base_model import convert

GGUF = Path("model.gguf")


def write(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        (folder / name).write_text("theirs")
    return folder


def test_a_model_in_several_files_is_left_as_it_is(tmp_path: Path) -> None:
    parts = [f"model-0000{part}-of-00002.safetensors" for part in (1, 2)]
    names = ("config.json", "tokenizer_config.json", "model.safetensors.index.json", *parts)
    base = write(tmp_path / "base", *names)
    assert not convert(GGUF, base)
    assert {path.name for path in base.iterdir()} == set(names)


def test_a_part_of_a_model_is_not_replaced_but_named(tmp_path: Path) -> None:
    base = write(tmp_path / "base", "config.json", "pytorch_model.bin")
    with pytest.raises(ValueError, match=r"no tokenizer_config.json and no \*.safetensors"):
        convert(GGUF, base)
    assert (base / "pytorch_model.bin").read_text() == "theirs"


def test_an_empty_folder_is_filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gguf, base = tmp_path / GGUF, write(tmp_path / "base")
    with pytest.raises(FileNotFoundError, match="--gguf"):
        convert(gguf, base)
    gguf.touch()

    def unpack(_: Path, output_dir: Path) -> None:
        for name in ("config.json", "tokenizer_config.json", "model.safetensors"):
            (output_dir / name).touch()

    monkeypatch.setattr("worker.base_model._write", unpack)
    assert convert(gguf, base)
    assert not convert(gguf, base)
    assert len(list(base.iterdir())) == 3
