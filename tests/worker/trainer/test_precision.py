"""Which type the frozen weights are computed in."""

from collections.abc import Iterator

import pytest
import torch

from worker.trainer import precision
from worker.trainer.precision import fastest_dtype

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def measured_anew() -> Iterator[None]:
    fastest_dtype.cache_clear()
    yield
    fastest_dtype.cache_clear()


@pytest.mark.parametrize(
    ("bfloat16_s", "float32_s", "chosen"),
    [
        (1.0, 1.4, torch.bfloat16),
        (1.45, 1.0, torch.float32),
        # Within noise: the smaller one.
        (1.1, 1.0, torch.bfloat16),
    ],
)
def test_the_faster_is_taken_by_measurement(
    monkeypatch: pytest.MonkeyPatch, bfloat16_s: float, float32_s: float, chosen: torch.dtype
) -> None:
    took = {torch.bfloat16: bfloat16_s, torch.float32: float32_s}
    monkeypatch.setattr(precision, "seconds", took.__getitem__)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: True)
    assert fastest_dtype(CPU) == chosen


def test_where_bfloat16_is_emulated_nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def must_not(dtype: torch.dtype) -> float:
        raise AssertionError(dtype)

    monkeypatch.setattr(precision, "seconds", must_not)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    assert fastest_dtype(CPU) == torch.float32


def test_to_measure_moves_no_random_number() -> None:
    torch.manual_seed(3)
    precision.seconds(torch.float32)
    moved = torch.rand(4)
    torch.manual_seed(3)
    assert torch.equal(moved, torch.rand(4))
