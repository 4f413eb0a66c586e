"""`rockpool.streaming.export_c`: the C that is written, compiled and run."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import rockpool
from rockpool.nn.combinators import Sequential
from rockpool.nn.models.finite_input import check_input
from rockpool.nn.modules import LIF, CubaLIFEuler, IFEuler, Instant, LIFEuler, Linear, Rate
from rockpool.nn.networks import SynNet, WaveSenseNet
from rockpool.streaming import export_c, stream
from rockpool.streaming.c_source import quantised

from .networks import EXACT, IMAGES, N_IN, ROUNDED, spikes, weights

STRICT = "gcc -O2 -Wall -Wextra -Werror -std=c99 -ffp-contract=off".split()
SANITIZED = [*STRICT, "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
DIGITS = Path(__file__).parents[2] / "examples" / "digits_network.safetensors"

compiles = pytest.mark.skipif(shutil.which("gcc") is None, reason="there is no C compiler")


def compiled(folder: Path, flags: list[str]) -> Path:
    """Compile what stands in a folder; the program is returned, and net.o is beside it."""
    for command in (
        [*flags, "-c", "net.c", "-o", "net.o"],
        [*flags, "main.c", "net.o", "-o", "net", "-lm"],
    ):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    return folder / "net"


def answers(program: Path, data: np.ndarray) -> np.ndarray:
    """What a program answers to (T, N), in single precision."""
    lines = "".join(",".join(f"{x:.9g}" for x in step) + "\n" for step in data)
    done = subprocess.run([program], input=lines, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return np.loadtxt(done.stdout.splitlines(), delimiter=",", ndmin=2).astype(np.float32)


def any_weights(dtype: str) -> Any:
    """A recurrent network whose sums are not exact, in the middle of a run."""
    rng = np.random.default_rng(1)
    network = Sequential(
        Linear((N_IN, 24), weight=rng.normal(size=(N_IN, 24)), has_bias=True, dtype=dtype),
        LIF((24, 8), has_rec=True, w_rec=rng.normal(size=(8, 24)) / 9, dtype=dtype),
    )
    network(spikes(2))
    return network


def adaptive(dtype: str) -> Any:
    from rockpool.nn.modules import aLIFTorch

    return aLIFTorch(N_IN, w_ahp=np.linspace(-1, 0.1, N_IN), tau_mem=5e-3)


def of_torch(made: Callable[[], Any]) -> Callable[[str], Any]:
    """A network of torch, whose weights are multiples of 1/16."""

    def network(dtype: str) -> Any:
        whole = made()
        for seed, (name, parameter) in enumerate(whole.named_parameters()):
            if name.endswith("weight"):
                parameter.data.copy_(torch.from_numpy(weights(seed, *parameter.shape)))
        return whole.double() if dtype == "float64" else whole

    return network


NETWORKS = {
    "synnet": of_torch(lambda: SynNet(4, N_IN, [20, 20], [2, 4], p_dropout=0.2).eval()),
    "potentials": of_torch(lambda: SynNet(4, N_IN, [20], [2], output="vmem")),
    "wavesense": of_torch(lambda: WaveSenseNet([2, 5], 4, N_IN, 7, 6, 9)),
}
ALL: dict[str, Callable[[str], Any]] = {
    **EXACT,
    "any_weights": any_weights,
    "adaptive": adaptive,
    **NETWORKS,
}


@compiles
@pytest.mark.slow
@pytest.mark.parametrize("weights", ["float32", "int8"])
@pytest.mark.parametrize("name", ALL)
def test_it_gives_what_the_stream_gives(name: str, weights: str, tmp_path: Path) -> None:
    made = export_c(ALL[name]("float32"), tmp_path, weights=weights)
    data = spikes(3, steps=300)
    found = answers(compiled(tmp_path, STRICT), data)
    wanted = stream(made.description, "float32").run(data)
    assert wanted.any() and np.array_equal(found, wanted)


@compiles
@pytest.mark.slow
@pytest.mark.parametrize("name", [*ALL, *ROUNDED])
def test_sanitizers_find_nothing(name: str, tmp_path: Path) -> None:
    network = (ALL | ROUNDED)[name]("float32")
    made = export_c(network, tmp_path, weights="int8" if name == "recurrent" else "float32")
    data = spikes(4)
    found = answers(compiled(tmp_path, SANITIZED), data)
    wanted = stream(made.description, "float32").run(data)
    # functions are those of the library of C, which rounds them by itself
    assert np.allclose(
        found, wanted, rtol=2e-5 if name in ROUNDED else 0, atol=1e-6 * (name in ROUNDED)
    )


@compiles
@pytest.mark.slow
@pytest.mark.parametrize("weights", ["float32", "int8"])
def test_all_digits_are_read_alike_and_the_object_is_small(weights: str, tmp_path: Path) -> None:
    network = rockpool.load(DIGITS)
    made = export_c(network, tmp_path, weights=weights)
    program = compiled(tmp_path, STRICT)
    raster, labels = rockpool.data.load_digit_spikes()
    data = raster.reshape(-1, raster.shape[-1])
    found = answers(program, data)
    wanted = stream(made.description, "float32").run(data)
    assert len(raster) == 1797 and np.array_equal(found, wanted)
    matrices = [
        n.parameters["weight"].array for _, n in made.description.walk() if n.model == "Linear"
    ]
    size = sum(array.size for array in matrices) * (4 if weights == "float32" else 1)
    assert (tmp_path / "net.o").stat().st_size <= size + 16 * 1024
    # and as a batch, in which the sums of products are rounded in another order
    batch = made.network(raster[:100])[0]
    singly = np.stack([stream(made.description).run(x) for x in raster[:100]])
    assert np.allclose(singly, batch, rtol=1e-4, atol=1e-4)
    read = singly.mean(1).argmax(-1)
    assert (read == labels[:100]).mean() > 0.9


@compiles
@pytest.mark.slow
def test_overflow_and_nan_are_as_in_numpy(tmp_path: Path) -> None:
    network = LIF(3, max_spikes_per_dt=np.inf, threshold=[1.0, 0.3, 1e-30])
    export_c(network, tmp_path)
    data = np.array([[1e30, -1e38, 1e38], [1.0, 1.0, 1.0], [np.nan, 3e9, 0.1]])
    with np.errstate(all="ignore"), check_input(False):
        wanted = stream(network, "float32", engine="numpy").run(data)
    assert np.array_equal(answers(compiled(tmp_path, SANITIZED[:-2]), data), wanted, equal_nan=True)


RULES: list[dict[str, Any]] = [
    {"reset": "value", "reset_delay": True, "v_reset": -0.25},
    {"reset": "none", "fires": ">=", "delay": 1},
    {"reset": "subtract", "max_spikes_per_dt": np.inf, "v_reset": -0.5},
    {"reset": "subtract", "max_spikes_per_dt": np.inf, "v_reset": -0.5, "fires": ">="},
    {"reset": "subtract", "max_spikes_per_dt": 3, "reset_delay": True, "fires": ">="},
    {"reset": "subtract", "reset_delay": "snntorch", "delay": 1, "fires": ">="},
    {"reset": "subtract", "reset_delay": "snntorch", "max_spikes_per_dt": 4},
]


@compiles
@pytest.mark.slow
@pytest.mark.parametrize("rules", RULES, ids=str)
def test_neurons_of_nir_take_each_step_that_they_have(rules: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    more = {"has_rec": True, "w_rec": rng.normal(size=(5, 5)) / 4, "dtype": "float32", **rules}
    synapse = {"tau_syn": rng.uniform(2e-3, 2e-2, 5), "w_in": rng.uniform(3, 9, 5)}
    network = Sequential(
        Linear((N_IN, 5), weight=rng.normal(size=(N_IN, 5)), has_bias=True, dtype="float32"),
        CubaLIFEuler(5, **synapse, r=rng.uniform(9, 20, 5), synapse="old", **more),
        Linear((5, 5), weight=rng.normal(1, 1, size=(5, 5)), dtype="float32"),
        IFEuler(5, r=900.0, threshold=rng.uniform(0.5, 1.5, 5), **more),
        LIFEuler(5, decay="exp", gain="unit", v_leak=0.1, **more),
    )
    network(spikes(2))  # from the middle of a run
    export_c(network, tmp_path)
    data = spikes(3, steps=300)
    wanted = stream(network, "float32").run(data)
    assert wanted.any() and np.array_equal(answers(compiled(tmp_path, STRICT), data), wanted)


@compiles
@pytest.mark.slow
@pytest.mark.parametrize("fires", [">", ">="])
def test_overflow_and_nan_of_neurons_of_nir_are_as_in_numpy(fires: str, tmp_path: Path) -> None:
    more = {"reset": "subtract", "max_spikes_per_dt": np.inf, "fires": fires}
    network = LIFEuler(3, gain="unit", threshold=[1.0, 0.3, 1e-30], **more)
    export_c(network, tmp_path)
    data = np.array([[1e30, -1e38, 1e38], [1.0, 1.0, 1.0], [np.nan, 3e9, 0.1]])
    with np.errstate(all="ignore"), check_input(False):
        wanted = stream(network, "float32", engine="numpy").run(data)
    assert np.array_equal(answers(compiled(tmp_path, SANITIZED[:-2]), data), wanted, equal_nan=True)


@compiles
@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1,2\n3\n", "line 2 must be 2 numbers, with commas between them"),
        ("1,2,3\n", "line 1 must be 2 numbers"),
        ("a,2\n", "line 1 must be 2 numbers"),
        ("1 2\n", "line 1 must be 2 numbers"),
    ],
)
def test_the_program_says_what_is_wrong(line: str, message: str, tmp_path: Path) -> None:
    export_c(LIF(2), tmp_path)
    program = compiled(tmp_path, SANITIZED)
    done = subprocess.run([program], input=line, capture_output=True, text=True)
    assert done.returncode == 1 and message in done.stderr
    done = subprocess.run([program], input="\n 1 , 2 \r\n\n0,1", capture_output=True, text=True)
    assert done.returncode == 0 and len(done.stdout.splitlines()) == 2


# --- the text --------------------------------------------------------------------------------------


def test_nothing_of_a_networks_text_gets_into_the_source(tmp_path: Path) -> None:
    evil = {"*/ int x; /*": Linear((2, 3)), 'a"\n#include <evil.h>\\??/': LIF(3), "é": LIF(3)}
    made = export_c(Sequential(evil), tmp_path)
    header = (tmp_path / "net.h").read_text(encoding="ascii")
    assert " *   ___int_x____ " in header and "a___include__evil.h_" in header
    for path in made.paths:
        text = Path(path).read_text(encoding="ascii")
        assert "evil.h>" not in text and "int x;" not in text and "?" not in header
    outside = re.sub(r"/\*.*?\*/", "", header, flags=re.S)
    assert "include" not in outside


def test_the_source_includes_what_the_models_need_and_no_more(tmp_path: Path) -> None:
    def included(network: Any) -> list[str]:
        export_c(network, tmp_path)
        return re.findall(r"#include (\S+)", (tmp_path / "net.c").read_text())

    assert included(Sequential(Linear((2, 3)), LIF(3))) == ["<stdint.h>", '"net.h"']
    assert included(Rate(2)) == ["<stdint.h>", '"net.h"']
    assert included(Rate(2, activation_func="tanh")) == ["<stdint.h>", "<math.h>", '"net.h"']
    assert included(Instant(2, np.floor)) == ["<stdint.h>", "<math.h>", '"net.h"']
    for path in tmp_path.glob("net.*"):
        assert "malloc" not in path.read_text()


def test_the_header_tells_what_it_is(tmp_path: Path) -> None:
    export_c(Sequential(Linear((2, 3)), LIF(3, dt=2e-3)), tmp_path, weights="int8")
    header = (tmp_path / "net.h").read_text()
    assert "2 inputs, 3 outputs, time steps of 0.002 s" in header
    assert re.search(r"1_LIF +LIF +3 +3  lif_2", header)
    assert "Weights are int8" in header and "net_step(&state, in, out);" in header
    assert "#define NET_DT 0.002" in header


def test_constants_are_exactly_the_numbers(tmp_path: Path) -> None:
    weight = np.array([[0.1, -1 / 3], [1e-42, 16777217.0], [2.0, -0.0]], np.float32)
    export_c(Linear((3, 2), weight=weight, dtype="float32"), tmp_path)
    (text,) = re.findall(
        r"product_1_weight\[6\] = \{(.*?)\}", (tmp_path / "net.c").read_text(), re.S
    )
    words = [word.strip().rstrip("f") for word in text.split(",")]
    found = [float.fromhex(word) if "0x" in word else float(word) for word in words]
    assert np.array_equal(np.float32(found), weight.ravel())
    assert found == [float(x) for x in weight.ravel()]


# --- quantised weights -------------------------------------------------------------------------------


def test_quantised_weights_are_those_of_the_network_that_is_returned(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    network = Sequential(
        Linear((4, 6), weight=rng.normal(size=(4, 6)), bias=rng.normal(size=6)),
        LIF((6, 3), has_rec=True, w_rec=rng.normal(size=(3, 6))),
    )
    made = export_c(network, tmp_path, weights="int8")
    for name, ours, given in [
        ("product_1", made.network[0].weight, network[0].weight),
        ("lif_2", made.network[1].w_rec, network[1].w_rec),
    ]:
        whole, scale = quantised(given)
        assert np.abs(whole).max() == 127
        assert np.array_equal(ours, whole.astype(np.float32) * scale)
        assert np.abs(ours - given).max() <= 0.51 * scale
        assert f"int8_t {name}_weight[{given.size}]" in (tmp_path / "net.c").read_text()
    assert np.array_equal(made.network[0].bias, network[0].bias.astype(np.float32))
    assert rockpool.verify(made.network, spikes(6, channels=4)[np.newaxis], backends=["numba"]).ok


@pytest.mark.parametrize("value", [0.0, 1e-45])
def test_weights_that_are_next_to_nothing_become_nothing(value: float) -> None:
    whole, scale = quantised(np.full((2, 2), value, np.float32))
    assert not whole.any() and scale == 1


# --- files, and what is refused ----------------------------------------------------------------------


def test_a_file_of_somebody_else_is_not_replaced(tmp_path: Path) -> None:
    export_c(LIF(2), tmp_path / "a" / "b")
    made = export_c(LIF(3), tmp_path / "a" / "b")
    assert "NET_INPUTS 3" in Path(made.paths[0]).read_text()
    (tmp_path / "main.c").write_text("int main(void) { return 0; }\n")
    with pytest.raises(FileExistsError, match="is there already, and was not written by rockpool"):
        export_c(LIF(2), tmp_path)
    assert not (tmp_path / "net.h").exists()
    assert (tmp_path / "main.c").read_text().startswith("int main")


def test_what_cannot_be_exported_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'0_LIF': LIF has noise"):
        export_c(Sequential(LIF(2, noise_std=1.0)), tmp_path / "no")
    with pytest.raises(ValueError, match="weights must be 'float32' or 'int8', got 'int4'"):
        export_c(LIF(2), tmp_path / "no", weights="int4")
    with pytest.raises(TypeError, match="directory must be a path, got 3"):
        export_c(LIF(2), 3)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="network must be a module"):
        export_c(None, tmp_path / "no")
    assert not (tmp_path / "no").exists()


def test_what_is_not_written_in_c_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'0_SumPool2d': SumPool2d is not written in C"):
        export_c(IMAGES["pools"]("float32"), tmp_path / "net")
    assert not (tmp_path / "net").exists()
