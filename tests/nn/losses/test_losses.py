"""Losses for outputs over time."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

import pytest
import torch
from support import golden

from rockpool.nn.losses import BinaryPeakLoss, MSELoss, PeakLoss, _Loss

PREDICTION = torch.tensor(golden.inputs(3, 6, 3), dtype=torch.float32)


def test_known_answers() -> None:
    binary = PREDICTION[..., :1]
    assert PeakLoss(3, 0.5, 1.0)(PREDICTION, torch.tensor([0, 2, 1])).item() == pytest.approx(
        0.309152, abs=1e-6
    )
    assert BinaryPeakLoss(3, 0.5, 1.0)(binary, torch.tensor([0, 1, 1])).item() == pytest.approx(
        0.381772, abs=1e-6
    )
    assert MSELoss()(PREDICTION, torch.zeros_like(PREDICTION)).item() == pytest.approx(
        0.275635, abs=1e-6
    )


def test_after_the_end_comes_the_peak_again() -> None:
    course = torch.tensor([0.0, 0.0, 4.0, 2.0])
    prediction = torch.stack((course, torch.zeros(4)), 1)[None]
    # 4, 2, and again 4, 2, 4
    loss = PeakLoss(5, 0.0, 0.0)(prediction, torch.tensor([0]))
    assert loss.item() == pytest.approx((16 / 5) ** 2)


def test_the_other_classes_have_a_target_of_their_own() -> None:
    prediction = torch.full((2, 5, 3), 0.25)
    loss = PeakLoss(2, 0.5, 0.25, nontarget_output=0.25)
    assert loss(prediction, torch.tensor([0, 1])).item() == 0
    assert (loss.loss_target.item(), loss.loss_nontarget.item()) == (0, 0)
    binary = BinaryPeakLoss(2, 0.5, 1.0, nontarget_output=0.25)
    assert binary(prediction[..., :1], torch.zeros(2)).item() == 0


@pytest.mark.parametrize("label", [0, 1])
def test_a_batch_of_one_kind(label: int) -> None:
    loss = BinaryPeakLoss(2, 0.5, 1.0)
    value = loss(torch.zeros(2, 5, 1), torch.full((2,), label))
    assert value.item() == label
    assert loss.loss_positives.item() == label
    assert loss.loss_negatives.item() == 0


def test_gradients_reach_the_peak() -> None:
    prediction = PREDICTION.clone().requires_grad_()
    PeakLoss(1, 0.0, 2.0)(prediction, torch.tensor([0, 2, 1])).backward()
    assert (prediction.grad != 0).sum() == 3


def test_options_of_a_parser() -> None:
    parser = PeakLoss(3, 0.5, 1.0).log_params(ArgumentParser())
    assert parser.parse_args(["--target_output", "2.5"]).target_output == 2.5
    assert vars(parser.parse_args([])) == {
        "max_interval": 3,
        "weight_nontarget": 0.5,
        "target_output": 1.0,
        "nontarget_output": 0.0,
    }
    assert isinstance(MSELoss(), _Loss)


@pytest.mark.parametrize(
    ("loss", "prediction", "target", "text"),
    [
        (PeakLoss(1, 1.0, 1.0), (2, 5, 1), (2,), "there must be two classes at least"),
        (PeakLoss(1, 1.0, 1.0), (2, 5), (2,), r"prediction must have the shape \(batch, time, cl"),
        (PeakLoss(1, 1.0, 1.0), (2, 5, 3), (3,), "target must have one class for each of the 2"),
        (BinaryPeakLoss(1, 1.0, 1.0), (2, 5, 2), (2,), r"must have the shape \(batch, time, 1\)"),
    ],
)
def test_errors(loss: Any, prediction: Any, target: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        loss(torch.zeros(prediction), torch.zeros(target))
    with pytest.raises(ValueError, match="PeakLoss: max_interval must be >= 1 time step, got 0"):
        PeakLoss(0, 1.0, 1.0)


@pytest.mark.parametrize("interval", [2.5, 2.0, None, True, "2"])
@pytest.mark.parametrize("kind", [PeakLoss, BinaryPeakLoss])
def test_an_interval_is_a_number_of_time_steps(kind: Any, interval: Any) -> None:
    with pytest.raises(
        TypeError, match=rf"PeakLoss: max_interval must be an int >= 1, got {interval!r}"
    ):
        kind(interval, 1.0, 1.0)


@pytest.mark.parametrize(("wrong", "said"), [(3, "3"), (-1, "-1"), (1.5, "1.5")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_targets_are_classes(wrong: float, said: str, dtype: Any) -> None:
    target = torch.tensor([0, wrong], dtype=dtype)
    with pytest.raises(ValueError, match=rf"^PeakLoss: target must be .* from 0 to 2, got {said}"):
        PeakLoss(1, 1.0, 1.0)(torch.zeros(2, 5, 3), target)
    with pytest.raises(ValueError, match=rf"^BinaryPeakLoss: target must .* 0 to 1, got {said}"):
        BinaryPeakLoss(1, 1.0, 1.0)(torch.zeros(2, 5, 1), target)


def test_targets_that_are_bools() -> None:
    target = torch.tensor([True, False])
    for loss in (PeakLoss(1, 1.0, 1.0), BinaryPeakLoss(1, 1.0, 1.0)):
        prediction = torch.zeros(2, 5, 2 if type(loss) is PeakLoss else 1)
        assert loss(prediction, target) == loss(prediction, target.long())
