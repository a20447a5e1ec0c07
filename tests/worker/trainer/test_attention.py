"""What attention over packs cannot do is said, not left out."""

import pytest
import torch
from torch import nn

from worker.trainer.attention import lay_out, packed_attention

LAYOUT = lay_out(2, [3, 1], [True, False])


def attend(**asked: object) -> torch.Tensor:
    states_1HTE = torch.ones(1, 2, 6, 4)
    output, _ = packed_attention(
        nn.Identity(),
        states_1HTE,
        states_1HTE,
        states_1HTE,
        None,
        layout=LAYOUT,
        **asked,  # type: ignore[arg-type]
    )
    return output


@pytest.mark.parametrize(
    "asked",
    [{"softcap": 50.0}, {"s_aux": torch.ones(2)}, {"dropout": 0.1}, {"sliding_window": 4}],
)
def test_another_kind_of_attention_is_refused(asked: dict[str, object]) -> None:
    with pytest.raises(NotImplementedError, match="cannot be trained on packs"):
        attend(**asked)


def test_a_window_that_no_sequence_is_longer_than_changes_nothing() -> None:
    assert torch.equal(attend(sliding_window=5), attend())
