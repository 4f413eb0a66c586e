"""Every way in which an installed back-end can be unusable, through each way of meeting it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.fakes import FAKES, WORKING, Fake
from support.patience import PATIENCE

MESSAGE = (
    "Missing the `torch` backend. `RateTorch` objects, and others relying on `torch` "
    "are not available."
)
IN_PROCESS = [fake for fake in FAKES if fake.dies is None]

MEET = """
import json, sys
from rockpool.utilities.backend_management import backend_available, backend_status
import rockpool.nn.modules as modules

said = {"looks": backend_status("torch").state}
said["available"] = backend_available("torch")
status = backend_status("torch")
said |= {"state": status.state, "reason": status.reason, "install": status.install}
said["error"] = type(status.error).__name__
RateTorch = modules.RateTorch
said["standin"] = RateTorch is modules.torch.RateTorch and "RateTorch" not in vars(modules)
try:
    RateTorch(4)
except ModuleNotFoundError as error:
    said |= {"message": str(error), "missing": error.name, "notes": error.__notes__}
    said["cause"] = type(error.__cause__).__name__
try:
    RateTorch.anything
except ModuleNotFoundError as error:
    said["attribute"] = str(error)
said["listed"] = dir(modules)
print(json.dumps(said), file=sys.stderr)
"""


@pytest.mark.parametrize("fake", IN_PROCESS, ids=lambda fake: fake.name)
def test_a_fault_is_told_and_the_standin_says_why(fake: Fake, bare_python, tmp_path: Path) -> None:
    path = fake.write(tmp_path / "path", "torch")
    said = json.loads(bare_python.run("-c", MEET, path=path).stderr.splitlines()[-1])
    assert (said["looks"], said["available"], said["state"]) == (fake.looks, False, fake.state)
    for word in fake.words:
        assert word in said["reason"]
    assert said["standin"]
    assert said["message"] == said["attribute"] == MESSAGE
    assert said["missing"] in ("torch", "fake_dependency_of_fake")
    assert said["reason"] in said["notes"][0]
    assert said["install"] in said["notes"][1]
    # what the import raised is kept as the cause; where nothing was imported, nothing was raised
    assert (said["cause"] != "NoneType") == (fake.state == "broken")
    assert said["cause"] == said["error"]
    assert "RateTorch" in said["listed"]


def test_a_broken_backend_names_the_dependency_that_it_lacks(bare_python, tmp_path: Path) -> None:
    fake = next(fake for fake in FAKES if fake.name == "own_dependency")
    said = bare_python.run("-c", MEET, path=fake.write(tmp_path / "path", "torch")).stderr
    said = json.loads(said.splitlines()[-1])
    assert said["missing"] == "fake_dependency_of_fake"
    assert said["install"] == "pip install fake_dependency_of_fake"


@pytest.mark.parametrize("fake", [*FAKES, WORKING], ids=lambda fake: fake.name)
def test_the_check_in_child_processes_survives_every_fault(
    fake: Fake, bare_python, tmp_path: Path
) -> None:
    path = fake.write(tmp_path / "path", "torch")
    limit = "2" if fake.dies == "no answer" else str(PATIENCE)
    done = bare_python.run(
        "-m", "rockpool", "backends", "--check", "--json", "--timeout", limit, path=path
    )
    rows = {row["name"]: row for row in json.loads(done.stdout)}
    assert rows["numpy"]["state"] == "missing"
    if fake.dies is None:
        assert rows["torch"]["state"] == fake.state
        assert all(word in rows["torch"]["reason"] for word in fake.words)
    else:
        assert fake.dies in rows["torch"]["reason"]


def test_an_error_in_our_own_file_is_raised_as_it_is(bare_python, tmp_path: Path) -> None:
    """The fake torch works, so that what fails is on our side of the line."""
    path = WORKING.write(tmp_path / "path", "torch")
    (path / "numpy").mkdir()
    (path / "numpy" / "__init__.py").write_text("__version__ = '2.0.0'")
    code = """
import sys
from rockpool.utilities.backend_management import backend_available
assert backend_available("torch")
import rockpool.nn.modules
try:
    rockpool.nn.modules.RateTorch
except ImportError as error:
    print(type(error).__name__, "Missing" in str(error), error.__cause__ is not None, file=sys.stderr)
"""
    kind, missing, _ = bare_python.run("-c", code, path=path).stderr.split()
    assert kind == "ImportError"
    assert missing == "False"
