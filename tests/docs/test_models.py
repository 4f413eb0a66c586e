"""The pages of the models say what each parameter is, and the lessons are in order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rockpool.nn.models.catalogue import MODELS

MODEL_PAGES = Path(__file__).parents[2] / "docs" / "models"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_each_parameter_and_setting_is_described_on_the_spot(model) -> None:
    text = (MODEL_PAGES / f"{model.name}.md").read_text()
    described = dict(
        re.findall(r"^\| `(\w+)` \|.*\| (.*) \|$", text.partition("## Back-ends")[0], re.M)
    )
    wanted = [spec.name for spec in (*model.parameters, *model.settings)]
    for name in wanted:
        if not name.startswith("neuron_shape"):
            assert described[name].strip() and not described[name].startswith(("As for", ";")), name


def test_lessons_are_in_their_order() -> None:
    nav = (MODEL_PAGES.parents[1] / "mkdocs.yml").read_text()
    assert re.findall(r"lessons/(\w+)\.md", nav)[1:] == [
        "1_first_network",
        "2_train_in_torch",
        "3_train_in_jax",
        "4_every_engine",
        "5_streaming_and_c",
        "6_nir_and_recordings",
        "7_quantise_and_profile",
    ]
