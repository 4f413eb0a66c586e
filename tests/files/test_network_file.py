"""`rockpool.save`, `load` and `read_header`: a network in one file."""

from __future__ import annotations

import contextlib
import json
import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file
from support.network_files import changed

import rockpool
from rockpool import FileFormatError, convert, describe
from rockpool.files.tensors import MAX_ENTRIES, MAX_HEADER
from rockpool.nn.combinators import FFwdStack, Residual, Sequential
from rockpool.nn.modules import (
    LIF,
    BooleanState,
    ButterMelFilter,
    Conv2d,
    CubaLIFEuler,
    ExpSyn,
    Instant,
    LIFBitshiftTorch,
    LIFODEJax,
    LIFTorch,
    Linear,
    LinearTorch,
    Module,
    Rate,
    SumPool2d,
    UpDownTorch,
    aLIFTorch,
)
from rockpool.nn.networks import SynNet, WaveSenseNet
from rockpool.parameters import Constant


def network() -> Any:
    rng = np.random.default_rng(0)
    net = Sequential(
        Linear((4, 6), weight=rng.normal(size=(4, 6))),
        LIF((6, 3), tau_mem=Constant([0.01, 0.02, np.inf]), has_rec=True),
        Residual(Linear((3, 3)), LIF(3, max_spikes_per_dt=np.inf)),
        ExpSyn(3),
    )
    net(rng.random((1, 9, 4)))
    return net


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "net.safetensors"


@pytest.mark.parametrize("backend", ["numpy", "numba", "torch", "jax", "brian", "nest", "sinabs"])
def test_nothing_is_lost(path: Path, backend: str) -> None:
    net = convert(network(), backend, state=True)
    rockpool.save(net, path, notes={"trained": "by hand"})
    again = rockpool.load(path, backend)
    assert describe(again) == describe(net)
    assert type(again[1]) is type(net[1])
    assert rockpool.read_header(path).notes == {"trained": "by hand"}


def test_by_itself_a_network_comes_back_where_it_was(path: Path) -> None:
    rockpool.save(LIFTorch(2, learning_window=0.25).double(), path)
    again = rockpool.load(path)
    assert type(again) is LIFTorch and again.tau_mem.dtype == torch.float64
    assert again.learning_window == 0.25
    assert type(rockpool.load(path, "numba")).__name__ == "LIFNumba"


def test_it_can_come_back_at_rest(path: Path) -> None:
    net = network()
    rockpool.save(net, path)
    assert describe(rockpool.load(path, state=False)) == describe(net.reset_state())


def test_the_file_is_little_larger_than_its_numbers(path: Path) -> None:
    net = Sequential(LinearOf(64, 100), LIF(100), LinearOf(100, 10), LIF(10))
    rockpool.save(net, path)
    raw = sum(a.nbytes for a in load_file(path).values())
    assert path.stat().st_size <= 1.1 * raw


def LinearOf(n_in: int, n_out: int) -> Linear:
    return Linear((n_in, n_out))


def test_the_library_of_the_format_reads_the_same_arrays(path: Path) -> None:
    net = network()
    rockpool.save(net, path)
    arrays = load_file(path)
    assert np.array_equal(arrays["0_Linear.weight"], net[0].weight)
    assert np.array_equal(arrays["1_LIF.state.vmem"], net[1].vmem)


def test_numpy_alone_reads_and_runs_it(path: Path, numpy_python: Any) -> None:
    net = convert(network(), "torch", state=True)
    rockpool.save(net, path)
    data = np.random.default_rng(1).random((1, 20, 4))
    wanted = convert(net, "numpy", state=True)(data)[0]
    found = numpy_python.python(
        f"import numpy as np, rockpool, sys\n"
        f"net = rockpool.load({str(path)!r}, 'numpy')\n"
        f"data = np.random.default_rng(1).random((1, 20, 4))\n"
        f"print(float(np.sum(net(data)[0])), 'safetensors' in sys.modules)"
    )
    assert found == f"{float(np.sum(wanted))} False"


def test_a_container_of_ones_own_is_made_by_its_owner(path: Path) -> None:
    class Inner(Module):
        """A container."""

        def __init__(self, inner: Any) -> None:
            super().__init__(inner.shape)
            self.inner = inner

        def evolve(self, input_data: Any, record: bool = False) -> Any:
            return self.inner(input_data)

        def _convert(self, modules: dict[str, Any], backend: str) -> Any:
            return Inner(**modules)

    rockpool.save(Sequential(Inner(LIF(2, threshold=3.0))), path)
    with pytest.raises(ValueError, match=r"there is a container of your own, Inner"):
        rockpool.load(path)
    again = rockpool.load(path, containers={"Inner": lambda modules: Inner(**modules)})
    assert again[0].inner.threshold == 3.0


WHOLE_NETWORKS = {
    "spikes": lambda: SynNet(3, 4, [5], [2], output="spikes"),
    "potentials": lambda: SynNet(3, 4, [5], [2], output="vmem"),
    "wavesense": lambda: WaveSenseNet(
        dilations=[2, 4],
        n_classes=3,
        n_channels_in=4,
        n_channels_res=5,
        n_channels_skip=6,
        n_hidden=7,
    ),
}


@pytest.mark.parametrize("made", WHOLE_NETWORKS.values(), ids=WHOLE_NETWORKS.keys())
@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
def test_whole_networks_of_this_package_come_back(path: Path, made: Any, backend: str) -> None:
    torch.manual_seed(0)
    network = Sequential(LinearTorch((4, 4)), made())
    rockpool.save(network, path)
    again = rockpool.load(path, backend)
    data = torch.rand(2, 20, 4)
    expected = network(data)[0].detach().numpy()
    output = again(data if backend == "torch" else data.numpy())[0]
    output = output.detach() if backend == "torch" else output
    assert np.allclose(output, expected, atol=1e-5)
    rockpool.save(again, path)  # what it has become comes back too
    assert describe(rockpool.load(path)) == describe(again)
    verdict = rockpool.verify(rockpool.read_header(path).network, data.numpy(), backends=["numba"])
    assert verdict.ok


@pytest.mark.parametrize(
    ("wiring", "message"),
    [
        ("wavesense", r"the modules \['seq'\] are not wired so"),
        ("none", "a container of your own, ModPotentials"),
        (1, "a container of your own, ModPotentials"),
    ],
)
def test_a_wiring_that_a_file_makes_up_is_refused(path: Path, wiring: Any, message: str) -> None:
    def wired_so(said: Any, arrays: Any) -> None:
        said["network"]["settings"]["wiring"] = wiring

    rockpool.save(convert(WHOLE_NETWORKS["potentials"](), "numpy"), path)
    with pytest.raises(ValueError, match=message):
        rockpool.load(changed(path, wired_so))


def test_functions_are_refused_and_the_file_stays(path: Path) -> None:
    rockpool.save(LIF(2), path)
    before = path.read_bytes()
    with pytest.raises(TypeError, match=r"save: function of Instant is .*which no file can hold"):
        rockpool.save(Instant(2, np.tanh), path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_a_layer_of_torch_itself_that_no_backend_can_hold_is_refused(path: Path) -> None:
    network = Sequential(LinearTorch((2, 3)), torch.nn.ReLU(), LIFTorch(3))
    with pytest.raises(TypeError, match=r"save: 1_ReLU is a torch.nn.ReLU, which no file can hold"):
        rockpool.save(network, path)
    assert not path.exists()


@pytest.mark.parametrize("name", ["a\nb", "a" * 256, ""])
def test_what_could_not_be_read_is_not_written(path: Path, name: str) -> None:
    rockpool.save(LIF(2), path)
    before = path.read_bytes()
    with pytest.raises(FileFormatError, match="its modules must be pairs of a name and a module"):
        rockpool.save(Sequential({name: LIF(2)}), path)
    with pytest.raises(FileFormatError, match=r"its table has .* bytes, at most 2097152"):
        rockpool.save(LIF(2), path, notes={"long": "a" * 2**21})
    assert path.read_bytes() == before


def test_parameters_that_were_set_to_integers_come_back_as_floats(path: Path) -> None:
    layer = LIF(2)
    layer.tau_mem = [1, 2]
    rockpool.save(layer, path)
    assert rockpool.load(path).tau_mem.tolist() == [1.0, 2.0]
    assert rockpool.convert(layer, "torch").tau_mem.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("containers", [["Own"], {"Own": 3}])
def test_containers_that_are_no_functions_are_refused(path: Path, containers: Any) -> None:
    rockpool.save(LIF(2), path)
    with pytest.raises(TypeError, match="load: containers must be functions by name, got"):
        rockpool.load(path, containers=containers)


@pytest.mark.parametrize(
    "notes", [{"of": "me", "": "", "ü\n": '\0"\\ 😀[{,:'}, {"long": "[,:" * 10**4}]
)
def test_notes_come_back(path: Path, notes: dict[str, str]) -> None:
    rockpool.save(LIF(2), path, notes=notes)
    header = rockpool.read_header(path)
    assert header.notes == notes
    rockpool.save(header.network, path, notes=header.notes)  # over the file that it is read from
    assert rockpool.read_header(path).notes == notes
    assert type(rockpool.load(path, "torch")) is LIFTorch


@pytest.mark.parametrize("notes", ["digits", ["digits"], {"of": 1}, {1: "of"}, 3])
def test_notes_that_are_no_texts_by_name_are_refused(path: Path, notes: Any) -> None:
    with pytest.raises(TypeError, match="save: notes must be texts by name, got"):
        rockpool.save(LIF(2), path, notes=notes)
    assert not path.exists()


def test_what_is_no_path_is_refused() -> None:
    with pytest.raises(TypeError, match="path must be a path, got None"):
        rockpool.load(None)  # type: ignore[arg-type]


def test_a_full_disk_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rockpool.save(LIF(2), path)
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left"):
        rockpool.save(LIF(3), path)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_only_what_is_on_one_backend_says_so(path: Path) -> None:
    rockpool.save(BooleanState(3), path)
    with pytest.raises(ValueError, match=r"there is no BooleanState on 'numpy'; it is on torch"):
        rockpool.load(path, "numpy")


# -- files that are not what they should be ---------------------------------------------------------


def nested(said: dict[str, Any], depth: int) -> None:
    for _ in range(depth):
        inner = dict(said["network"], children=[["inner", said["network"]]])
        said["network"] = {**inner, "parameters": {}, "states": {}, "model": "Sequential"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda said, a: said.update(version=99), "it has version 99 of the format"),
        (lambda said, a: said.update(version="1"), "its version is '1'"),
        (lambda said, a: said["network"].pop("shape"), "the network: must have children"),
        (lambda said, a: said["network"].update(shape=[2.0]), r"the shape is \[2.0\]"),
        (lambda said, a: said["network"].update(shape=[3, 3]), r"bias has the shape|the shape"),
        (lambda said, a: said["network"].update(shape=[10**9, 10**9]), "has the shape"),
        (lambda said, a: said["network"].update(model="Nothing"), "is not known|no Nothing|shape"),
        (lambda said, a: said["network"].update(model="a\nb"), "the model is"),
        (lambda said, a: said["network"]["states"].pop("vmem"), "no module has the array"),
        (lambda said, a: nested(said, 70), "more than 64 modules in one another"),
        (lambda said, a: said["network"]["settings"].update(dt=-1.0), "dt must be"),
        (
            lambda said, a: said["network"]["settings"].update(dt=None),
            "dt must be of float, got None",
        ),
        (lambda said, a: said["network"]["settings"].update(oops=1), "'oops' is not known"),
        (lambda said, a: said["network"]["settings"].update(dt=[1, ["a"]]), "dt must be of float"),
        (lambda said, a: said["network"]["settings"].update(dt=[[[1]]]), r"'dt' is \[\[\[1"),
        (lambda said, a: said["network"]["settings"].update(dt=[2.5]), r"'dt' is \[2.5\]"),
        (lambda said, a: a.update({"more": np.ones(3)}), "no module has the array 'more'"),
        (lambda said, a: a.update({"tau_mem": np.array(-1.0)}), "tau_mem"),
        (lambda said, a: a.update({"tau_mem": np.array(np.nan)}), "tau_mem"),
        (lambda said, a: a.update({"tau_mem": np.ones((7, 7))}), "tau_mem has the shape"),
        (lambda said, a: a.update({"tau_mem": np.array(1)}), "tau_mem is of the type int64"),
    ],
)
def test_what_cannot_be_is_named(path: Path, change: Any, message: str) -> None:
    rockpool.save(LIF(2), path)
    with pytest.raises(ValueError, match=message):
        rockpool.load(changed(path, change))


def with_table(table: str | bytes, data: bytes = b"") -> bytes:
    encoded = table.encode() if isinstance(table, str) else table
    return len(encoded).to_bytes(8, "little") + encoded + data


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "no safetensors file"),
        (b"1234567", "no safetensors file"),
        ((2**63).to_bytes(8, "little"), "it has been cut"),
        (with_table("nonsense"), "its table is not JSON"),
        (with_table("[]"), "no object of names"),
        (with_table(b"\xff\xfe"), "no text in UTF-8"),
        (with_table("{}"), "no description of a network"),
        (with_table('{"a": 1, "a": 1}'), "a name twice"),
        (with_table('{"a": NaN}'), "NaN, which is no number"),
        (with_table('{"a": 1e999}'), "1e999, which is no number"),
        (with_table('{"a": ' + "[" * 5000 + "]" * 5000 + "}"), "nested too deep"),
        (with_table('{"a": [' + "1," * 200_000 + "1]}"), "more than 200000 entries"),
        (
            with_table(
                '{"a": {"dtype": "F64", "shape": [1000000000], "data_offsets": [0, 8]}}',
                b"12345678",
            ),
            "is said to be at 0 to 8 of 8 bytes",
        ),
        (
            with_table(
                '{"a": {"dtype": "F64", "shape": [-1], "data_offsets": [0, 8]}}', b"12345678"
            ),
            "has the shape",
        ),
        (
            with_table(
                '{"a": {"dtype": "C64", "shape": [1], "data_offsets": [0, 8]}}', b"12345678"
            ),
            "is of the type 'C64'",
        ),
        (
            with_table(
                '{"a": {"dtype": "F64", "shape": [1], "data_offsets": [8, 16]}}',
                b"1234567812345678",
            ),
            "leave a gap at byte 0",
        ),
        (
            with_table(
                '{"a": {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]}}', b"1234567812345678"
            ),
            "end at byte 8 of 16",
        ),
    ],
)
def test_a_file_that_is_no_such_file_is_named(path: Path, content: bytes, message: str) -> None:
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=message) as caught:
        rockpool.read_header(path)
    assert str(caught.value).startswith(str(path))


def of_entries(entry: str, number: int, begin: str = '{"a":[', end: str = "0]}") -> bytes:
    """A table of entries that are all the same, as many as may be."""
    return with_table(begin + (entry + ",") * number + end)


def described_as(text: str) -> bytes:
    return with_table('{"__metadata__":{"rockpool":' + json.dumps(text) + "}}")


SMILE = "\U0001f600"
# Tables that are as large as may be, of what takes the most memory
LARGE = {
    "lists": lambda: of_entries("[]", MAX_ENTRIES // 2 - 5),
    "objects": lambda: of_entries("{}", MAX_ENTRIES // 2 - 5),
    "objects with names": lambda: of_entries('{"a":{}}', MAX_ENTRIES // 4 - 5),
    "names": lambda: with_table(
        "{" + ",".join(f'"{SMILE}{i:x}":{i}e9' for i in range(MAX_ENTRIES // 2 - 5)) + "}"
    ),
    "numbers": lambda: of_entries("1e9", MAX_ENTRIES - 5),
    "long numbers": lambda: of_entries("9" * 4000, MAX_HEADER // 4001 - 5),
    "a number of a million digits": lambda: with_table('{"a":' + "9" * 10**6 + "}"),
    "texts": lambda: of_entries('"ab"', MAX_ENTRIES - 5),
    "one name": lambda: with_table('{"' + SMILE + "a" * (MAX_HEADER - 20) + '":1}'),
    "one text": lambda: described_as(SMILE + "a" * (MAX_HEADER - 60)),
    "spaces": lambda: with_table("{" + " " * (MAX_HEADER - 5) + "}"),
    "deep lists": lambda: with_table('{"a":' + "[" * 390 + "]" * 390 + "}"),
    "empty arrays": lambda: with_table(
        "{"
        + ",".join(
            f'"{i:x}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}' for i in range(10_000)
        )
        + "}"
    ),
    "one array many times": lambda: with_table(
        "{"
        + ",".join(
            f'"{i:x}":{{"dtype":"F32","shape":[9],"data_offsets":[0,36]}}' for i in range(10_000)
        )
        + "}",
        bytes(36),
    ),
    "an array of many axes": lambda: with_table(
        '{"a":{"dtype":"F32","shape":[' + "1," * 90_000 + '1],"data_offsets":[0,4]}}', bytes(4)
    ),
    "a huge array": lambda: with_table(
        '{"a":{"dtype":"F32","shape":[1000000000,0],"data_offsets":[0,0]}}'
    ),
    "a description of lists": lambda: described_as("[" + "[]," * (MAX_ENTRIES // 2 - 9) + "0]"),
    "modules without anything": lambda: described_as(
        json.dumps({"version": 1, "network": {"children": [[str(i), {}] for i in range(40_000)]}})
    ),
    "other bytes": lambda: bytes([200, 0, 0, 0, 0, 0, 0, 0]) + bytes(range(256)) * 4000,
}
ROOM = 32 * 2**20  # bytes, of what Python makes of a table


def allocated(path: Path) -> int:
    """How many bytes are taken at most, at one time, to load a file."""
    tracemalloc.start()
    try:
        with contextlib.suppress(ValueError):
            rockpool.load(path)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("made", LARGE.values(), ids=LARGE.keys())
def test_no_table_takes_more_memory_than_the_file_twice_and_some_room(
    path: Path, made: Any
) -> None:
    path.write_bytes(made())
    assert allocated(path) <= 2 * path.stat().st_size + ROOM
    with pytest.raises(FileFormatError) as caught:
        rockpool.load(path)
    assert str(caught.value).startswith(str(path)) and len(str(caught.value)) < len(str(path)) + 200


def test_a_network_takes_the_memory_of_its_numbers(path: Path) -> None:
    """Its parameters, and their values for a reset; of one layer, those that it is made with."""
    rockpool.save(Sequential(*[Linear((300, 300)) for _ in range(8)]), path)
    assert allocated(path) <= 2.5 * path.stat().st_size + 2**20


LAYERS = {
    "bit-shifts": lambda: LIFBitshiftTorch(2),
    "adaptive": lambda: aLIFTorch(2, has_rec=True),
    "mel filters": lambda: ButterMelFilter(4),
    "convolution": lambda: Conv2d((1, 4, 4), 2, 2),
    "pooling": lambda: SumPool2d((1, 4, 4), 2),
    "up and down": lambda: UpDownTorch(2),
    "latch": lambda: BooleanState(2),
    "equations": lambda: LIFODEJax(2),
    "rates": lambda: Sequential(Rate(2), {"in": Residual(Linear((2, 2)))}),
    "stack": lambda: FFwdStack(Instant(2), Instant(3)),
    "of NIR": lambda: CubaLIFEuler(2),
}
ODD: list[Any] = [10**4, 10**9, 2**62, -1, 0, 1e308, "x", None, True, [10**4, 10**4], [[1]], {}]


def places(said: Any) -> Iterator[tuple[Any, Any]]:
    """Go over all places in a description: what holds something, and the name or position there."""
    items = said.items() if isinstance(said, dict) else enumerate(said)
    for key, value in list(items):
        if isinstance(value, (dict, list)):
            yield from places(value)
        yield said, key


@pytest.mark.slow
@pytest.mark.parametrize("made", LAYERS.values(), ids=LAYERS.keys())
def test_no_value_in_a_description_brings_a_reader_down(path: Path, made: Any) -> None:
    rockpool.save(made(), path)
    original = path.read_bytes()
    rockpool.load(path)
    number = len(list(places(described(original)[1])))
    for index in range(number):
        for odd in ODD:
            header, said, data = described(original)
            holder, key = list(places(said))[index]
            holder[key] = odd
            header["__metadata__"]["rockpool"] = json.dumps(said)
            path.write_bytes(with_table(json.dumps(header), data))
            assert allocated(path) <= 2 * path.stat().st_size + 4 * 2**20, (key, odd)


def described(content: bytes) -> tuple[dict[str, Any], dict[str, Any], bytes]:
    """Table, description and data of a file."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    return header, json.loads(header["__metadata__"]["rockpool"]), content[end:]


def test_two_inner_sizes_cannot_ask_for_their_product(path: Path) -> None:
    rockpool.save(FFwdStack(Instant(2), Instant(3)), path)

    def change(said: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        for _, child in said["network"]["children"]:
            child["shape"] = [10**6]

    with pytest.raises(FileFormatError, match=r"0_1_weight has the shape"):
        rockpool.load(changed(path, change))


def read_or_refused(path: Path, original: Any) -> str:
    """What became of a file: it was read, as a network, or refused by name."""
    tracemalloc.start()
    try:
        net = rockpool.load(path)
    except ValueError:
        return "refused"
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak <= 2 * path.stat().st_size + 2**20
    assert isinstance(net, type(original))
    return "read"


ORIGINAL = network()


@pytest.fixture(scope="module")
def original_content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("original") / "net.safetensors"
    rockpool.save(ORIGINAL, path)
    return path.read_bytes()


@pytest.mark.slow
@settings(max_examples=2000, deadline=None, database=None)
@given(data=st.data())
def test_mutated_files_are_refused_or_read(
    data: st.DataObject, original_content: bytes, tmp_path_factory: Any
) -> None:
    path = tmp_path_factory.getbasetemp() / "mutated.safetensors"
    content = bytearray(original_content)
    header = 8 + int.from_bytes(content[:8], "little")
    for _ in range(data.draw(st.integers(1, 4))):
        end = header if data.draw(st.booleans()) else len(content)
        content[data.draw(st.integers(0, end - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(content[: data.draw(st.integers(header, len(content)))]))
    read_or_refused(path, ORIGINAL)


@pytest.mark.slow
def test_flipped_bits_are_refused_or_read(path: Path, original_content: bytes) -> None:
    content = original_content
    rng = np.random.default_rng(0)
    results = set()
    for position in rng.integers(0, 8 * len(content), 8000):
        flipped = bytearray(content)
        flipped[position // 8] ^= 1 << (position % 8)
        path.write_bytes(flipped)
        results.add(read_or_refused(path, ORIGINAL))
    assert results == {"refused", "read"}
