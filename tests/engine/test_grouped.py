"""LoRA on CPU: every token gets its own adapter's weights, and nobody else's."""

import pytest
import torch

from dormouse_engine.grouped import NO_ADAPTER, Factors, add_lora, group_tokens

NUM_SLOTS, RANK, NUM_IN = 3, 4, 6
SIZES = (5, 2, 3)


def expected(
    output_TO: torch.Tensor,
    input_TI: torch.Tensor,
    slots: list[int],
    a: list[torch.Tensor],
    b: list[torch.Tensor],
    scale: float,
) -> torch.Tensor:
    """Token by token, slice by slice."""
    result = output_TO.clone()
    for token, slot in enumerate(slots):
        offset = 0
        for a_L1RI, b_L1OR in zip(a, b, strict=True):
            width = b_L1OR.shape[2]
            if slot != NO_ADAPTER:
                change = b_L1OR[slot, 0] @ (a_L1RI[slot, 0] @ input_TI[token])
                result[token, offset : offset + width] += scale * change
            offset += width
    return result


def answer(
    y: torch.Tensor, x: torch.Tensor, slots: list[int], layer: Factors, scale: float
) -> None:
    """As the plugin does it."""
    groups = group_tokens(torch.tensor(slots))
    add_lora(y, x, groups, [layer.of(group.slot) for group in groups], scale)


@pytest.mark.parametrize(
    "slots",
    [
        [0],
        [2, 2, 2, 2],
        [NO_ADAPTER, NO_ADAPTER],
        [0, 0, 1, 1, 2],
        [1, NO_ADAPTER, 1, 0, NO_ADAPTER, 2, 1],
        [NO_ADAPTER, 2, 2],
    ],
    ids=str,
)
def test_a_mixed_batch_equals_each_token_alone(slots: list[int]) -> None:
    torch.manual_seed(0)
    a = [torch.randn(NUM_SLOTS, 1, RANK, NUM_IN, dtype=torch.float64) for _ in SIZES]
    b = [torch.randn(NUM_SLOTS, 1, size, RANK, dtype=torch.float64) for size in SIZES]
    x = torch.randn(len(slots), NUM_IN, dtype=torch.float64)
    y = torch.randn(len(slots), sum(SIZES), dtype=torch.float64)
    wanted = expected(y, x, slots, a, b, 0.5)
    answer(y, x, slots, Factors(a, b, SIZES), 0.5)
    torch.testing.assert_close(y, wanted)


def test_rows_beyond_the_batch_stay_as_they_are() -> None:
    a = [torch.ones(1, 1, RANK, NUM_IN)]
    b = [torch.ones(1, 1, 5, RANK)]
    y = torch.zeros(4, 5)
    answer(y, torch.ones(4, NUM_IN), [0, 0], Factors(a, b, (5,)), 1.0)
    assert y[:2].eq(RANK * NUM_IN).all()
    assert y[2:].eq(0).all()


def test_tokens_side_by_side_are_a_slice_and_others_an_index() -> None:
    first, second = group_tokens(torch.tensor([1, 0, 0, 1]))
    assert (first.slot, first.rows) == (0, slice(1, 3))
    assert second.slot == 1
    assert isinstance(second.rows, torch.Tensor)
    assert second.rows.tolist() == [0, 3]


def test_an_adapter_of_smaller_rank_than_the_engines_is_cut_to_it() -> None:
    a, b = torch.zeros(1, 1, RANK, NUM_IN), torch.zeros(1, 1, 5, RANK)
    a[0, 0, :2], b[0, 0, :, :2] = 1.0, 1.0
    pair = Factors([a], [b], (5,)).of(0)
    assert pair is not None
    down_IR, up_RO = pair
    assert down_IR.shape == (NUM_IN, 2)
    assert up_RO.shape == (2, 5)


def test_a_layer_that_an_adapter_leaves_alone_costs_nothing_until_it_is_written() -> None:
    a = [torch.zeros(2, 1, RANK, NUM_IN) for _ in SIZES]
    b = [torch.zeros(2, 1, size, RANK) for size in SIZES]
    a[1][0], b[1][0] = 1.0, 1.0
    layer = Factors(a, b, SIZES)
    assert layer.of(1) is None
    y = torch.zeros(2, sum(SIZES))
    answer(y, torch.ones(2, NUM_IN), [1, 0], layer, 1.0)
    assert y.tolist() == [[0.0] * 10, [0.0] * 5 + [RANK * NUM_IN] * 2 + [0.0] * 3]
    a[0][1], b[0][1] = 1.0, 1.0
    assert layer.of(1) is not None


def test_a_slot_that_is_written_again_answers_with_its_new_weights() -> None:
    a, b = torch.ones(2, 1, RANK, NUM_IN), torch.ones(2, 1, 5, RANK)
    layer = Factors([a], [b], (5,))
    before = layer.of(1)
    assert layer.of(1) is before
    with torch.inference_mode():
        b[1].copy_(torch.full((1, 5, RANK), 2.0))
    y = torch.zeros(1, 5)
    answer(y, torch.ones(1, NUM_IN), [1], layer, 1.0)
    assert y.eq(2 * RANK * NUM_IN).all()
