"""What lies below the first layer with LoRA is computed once, and changes nothing."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch import Tensor, nn
from transformers import AutoTokenizer

import worker.trainer.frozen as frozen_module
from worker.trainer.data import Tokenizer, TokenSequence, collate
from worker.trainer.frozen import FrozenLayers
from worker.trainer.job import TrainJob
from worker.trainer.model import Student, load_student
from worker.trainer.run import tokenize_job

# PEFT still asks for what transformers renamed.
pytestmark = pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")


@pytest.fixture
def sequences(job: dict[str, Any], tiny_model_dir: Path) -> list[TokenSequence]:
    tokenizer = cast(Tokenizer, AutoTokenizer.from_pretrained(tiny_model_dir))
    return list(tokenize_job(tokenizer, TrainJob.model_validate(job)).all)


def student_of(job: dict[str, Any]) -> Student:
    recipe = TrainJob.model_validate(job).recipe.model_copy(update={"frozen_ratio": 0.5})
    student = load_student(Path(job["base_path"]), None, recipe, torch.device("cpu"))
    torch.manual_seed(1)
    for parameter in student.parameters:
        nn.init.normal_(parameter, std=0.1)
    return student


def output_and_gradients(student: Student, sequences: list[TokenSequence]) -> list[Tensor]:
    for parameter in student.parameters:
        parameter.grad = None
    hidden_ND = student.hidden(collate(sequences))
    torch.autograd.backward(hidden_ND.square().sum())
    gradients = [parameter.grad for parameter in student.parameters]
    return [hidden_ND.detach(), *(grad.clone() for grad in gradients if grad is not None)]


def test_from_the_kept_states_come_the_same_output_and_gradients_without_the_layers_below(
    job: dict[str, Any], sequences: list[TokenSequence]
) -> None:
    student = student_of(job)
    whole = output_and_gradients(student, sequences[1:4])
    student.read(sequences, 64)
    lowest = student.model.get_submodule("base_model.model.model.layers.0")
    lowest.register_forward_hook(lambda *_: pytest.fail("computed again"))
    split = output_and_gradients(student, sequences[1:4])
    assert len(whole) == len(split) == 1 + len(student.parameters)
    assert len(student.parameters) > 0
    for mine, other in zip(split, whole, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-5)


def test_a_sequence_that_was_not_read_goes_the_whole_way(
    job: dict[str, Any], sequences: list[TokenSequence]
) -> None:
    student = student_of(job)
    whole = output_and_gradients(student, sequences[:3])
    student.read(sequences[1:], 64)
    for mine, other in zip(output_and_gradients(student, sequences[:3]), whole, strict=True):
        torch.testing.assert_close(mine, other)


def test_more_than_fits_is_not_kept(
    job: dict[str, Any], sequences: list[TokenSequence], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frozen_module, "MAX_BYTES", 1000)
    student = student_of(job)
    student.read(sequences, 64)
    calls: list[None] = []
    lowest = student.model.get_submodule("base_model.model.model.layers.0")
    lowest.register_forward_hook(lambda *_: calls.append(None))
    student.hidden(collate(sequences[:2]))
    assert calls == [None]


class Scaling(nn.Module):
    """A decoder that scales its embeddings once more, whoever made them."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(300, 8)
        self.layers = nn.ModuleList([nn.Linear(8, 8), nn.Linear(8, 8)])
        self.norm = nn.Identity()

    def forward(
        self, input_ids: Tensor | None = None, inputs_embeds: Tensor | None = None, **_: object
    ) -> SimpleNamespace:
        states = self.embed(input_ids) if inputs_embeds is None else inputs_embeds
        states = 3 * states
        for layer in self.layers:
            states = layer(states)
        return SimpleNamespace(last_hidden_state=self.norm(states))


def test_a_decoder_that_is_built_otherwise_is_never_split(sequences: list[TokenSequence]) -> None:
    decoder = Scaling()
    frozen = FrozenLayers(decoder, 1)
    whole_TD = frozen.decode(collate(sequences[:2]))
    frozen.read(sequences, 64, torch.device("cpu"))
    torch.testing.assert_close(frozen.decode(collate(sequences[:2])), whole_TD)
    assert len(decoder.layers) == 2
