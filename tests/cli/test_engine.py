"""What vLLM is started with."""

from pathlib import Path

import pytest

from cli.engine import multiplies_bfloat16


@pytest.mark.parametrize(
    ("flags", "expected"),
    [("fma avx2 avx512f avx512_bf16", True), ("fma avx2 avx512f", False), ("amx_bf16 avx2", True)],
)
def test_the_engine_takes_the_type_that_the_processor_multiplies(
    tmp_path: Path, flags: str, expected: bool
) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text(f"processor\t: 0\nflags\t\t: {flags}\nbugs\t\t: spectre_v1\n")

    assert multiplies_bfloat16(info) is expected


def test_a_machine_that_does_not_tell_keeps_the_models_own_type(tmp_path: Path) -> None:
    assert multiplies_bfloat16(tmp_path / "missing")
