"""Files that are cut, changed or made up: a named error, and little memory."""

from __future__ import annotations

import json
import random
import resource
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from support import nir_cases

from rockpool import FileFormatError
from rockpool.nir import read_nir_header, to_nir
from rockpool.nn.combinators import Sequential
from rockpool.nn.modules import LIFEuler, Linear


def our_file(path: Path) -> Path:
    weight = np.random.default_rng(1).random((3, 4))
    to_nir(Sequential(Linear((3, 4), weight=weight), LIFEuler(4, has_rec=True)), path)
    return path


def sources(tmp_path: Path) -> list[bytes]:
    """Bytes of four files of different writers."""
    exported = ["snntorch_rleaky", "spyx_rlif", "sinabs_iaf_conv"]
    files = [nir_cases.case("export", name)[0] for name in exported]
    return [path.read_bytes() for path in [*files, our_file(tmp_path / "ours.nir")]]


def mutated(data: bytes, rng: random.Random) -> bytes:
    if rng.random() < 0.25:
        return data[: rng.randrange(len(data))]
    changed = bytearray(data)
    reach = len(data) if rng.random() < 0.7 else min(len(data), 4096)
    for _ in range(rng.choice([1, 1, 2, 8, 50])):
        place = rng.randrange(reach)
        changed[place] = rng.choice([0, 255, rng.randrange(256), changed[place] ^ 1])
    return bytes(changed)


def read_or_refuse(path: Path) -> None:
    try:
        read_nir_header(path)
    except ValueError as error:
        assert isinstance(error, FileFormatError) and str(error).startswith(str(path)), error


def check_mutations(tmp_path: Path, count: int, seed: int) -> None:
    rng = random.Random(seed)
    path = tmp_path / "changed.nir"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    originals = sources(tmp_path)
    for number in range(count):
        path.write_bytes(mutated(originals[number % len(originals)], rng))
        read_or_refuse(path)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < 500 * 1024  # kilobytes


def test_changed_files_are_refused_or_read(tmp_path: Path) -> None:
    check_mutations(tmp_path, 300, seed=1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 12))
def test_ten_thousand_changed_files_are_refused_or_read(tmp_path: Path, seed: int) -> None:
    check_mutations(tmp_path, 1000, seed)


def test_each_cut_is_refused(tmp_path: Path) -> None:
    data = nir_cases.case("export", "sinabs_iaf")[0].read_bytes()
    path = tmp_path / "cut.nir"
    for length in range(0, len(data) - 1, 487):
        path.write_bytes(data[:length])
        with pytest.raises(FileFormatError):
            read_nir_header(path)


# -- made up ---------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return nir_cases.write(
        tmp_path / "net.nir",
        {
            **nir_cases.ends(3, 4),
            "a": nir_cases.linear(3, 4),
            "n": nir_cases.lif(4),
        },
        nir_cases.row("a", "n"),
    )


def changed(path: Path, change: Any) -> Path:
    with h5py.File(path, "r+") as opened:
        change(opened["node/nodes"])
    return path


def large(nodes: Any) -> None:
    del nodes["n/tau"]
    nodes["n"].create_dataset("tau", (10**10,), "f8", chunks=(1000,), compression="gzip")


def large_chunks(nodes: Any) -> None:
    del nodes["n/tau"]
    nodes["n"].create_dataset("tau", (4,), "f8", chunks=(10**8,), maxshape=(None,))


def soft_link(nodes: Any) -> None:
    del nodes["n/tau"]
    nodes["n/tau"] = h5py.SoftLink("/node/nodes/n/r")


def outside(nodes: Any) -> None:
    del nodes["n/tau"]
    nodes["n/tau"] = h5py.ExternalLink("/etc/passwd", "/tau")


def in_a_circle(nodes: Any) -> None:
    del nodes["n"]
    nodes["n"] = nodes.parent


def elsewhere(nodes: Any) -> None:
    del nodes["n/tau"]
    nodes["n"].create_dataset("tau", (4,), "f8", external=[("/etc/hostname", 0, 32)])


def texts(nodes: Any) -> None:
    del nodes["n/tau"]
    nodes["n/tau"] = np.array(["0.02"] * 4, dtype=object)


def a_text(nodes: Any) -> None:
    del nodes["n/tau"]
    nodes["n/tau"] = "twenty"


def objects(nodes: Any) -> None:
    del nodes["n/tau"]
    nodes["n/tau"] = np.zeros(4, np.dtype([("a", "f8"), ("b", "i4")]))


def complex_numbers(nodes: Any) -> None:
    del nodes["n/tau"]
    nodes["n/tau"] = np.ones(4, complex)


def no_type(nodes: Any) -> None:
    del nodes["n/type"]


def a_group_as_a_field(nodes: Any) -> None:
    del nodes["n/tau"]
    nodes["n"].create_group("tau")


def odd_edges(nodes: Any) -> None:
    del nodes.parent["edges"]
    nodes.parent["edges"] = np.zeros((3, 2))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (large, "is larger than what the file holds of it"),
        (large_chunks, "in parts of|larger than what"),
        (soft_link, "'tau' is a link to another place"),
        (outside, "'tau' is a link to another place"),
        (in_a_circle, "graphs inside each other, more than|more than 10000 nodes"),
        (elsewhere, "is stored in another file"),
        (texts, "'n': tau of a LIF has no value"),
        (a_text, "'n': tau must be numbers, got 'twenty'"),
        (objects, "must be numbers or a text"),
        (complex_numbers, "must be numbers or a text, got complex128"),
        (no_type, "'n' has no type"),
        (a_group_as_a_field, "'n': tau of a LIF has no value"),
        (odd_edges, "edges must be pairs of names, got float64"),
    ],
)
def test_what_cannot_be_is_refused_by_name(file: Path, change: Any, said: str) -> None:
    with pytest.raises(FileFormatError, match=said):
        read_nir_header(changed(file, change))


def notes(**change: Any) -> Any:
    def apply(nodes: Any) -> None:
        held = nodes.parent["metadata"]
        note = json.loads(held["rockpool"][()])
        note["layers"]["1_LIFEuler"].update(change)
        del held["rockpool"]
        held["rockpool"] = json.dumps(note)

    return apply


@pytest.mark.parametrize(
    "change",
    [
        {"shape": [10**9, 10**9]},
        {"shape": "x"},
        {"model": "TorchModule"},
        {"model": "Nothing"},
        {"settings": {"neuron_shape": [10**8]}},
        {"settings": 3},
        {"parameters": {"tau_mem": {"shape": [10**9], "family": None, "field": "tau"}}},
        {"parameters": {"tau_mem": {"shape": [4], "family": None, "field": "none", "turned": 0}}},
        {"parameters": []},
    ],
)
def test_notes_that_cannot_be_are_refused_or_not_believed(tmp_path: Path, change: Any) -> None:
    path = changed(our_file(tmp_path / "ours.nir"), notes(**change))
    try:
        header = read_nir_header(path)
    except FileFormatError as error:
        assert str(path) in str(error)
    else:
        assert header.source.warnings
