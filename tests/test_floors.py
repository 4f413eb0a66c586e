"""Rooms lie on floors, imports run downward and in no circle, and back-ends stay in their rooms.

All imports count, those inside functions and for type checkers too (`support.import_graph`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest
from support import import_graph
from support.import_graph import Arrows, Import

import rockpool
from rockpool.backends.left_out import LEFT_OUT

# From the ground up. A room is a package with all in it, or a file; the longest name that fits is a
# file's room. It may import what is in the room itself and on the floors below: not its neighbours
# on the same floor either.
FLOORS = (
    ("rockpool._version",),
    ("rockpool.backends",),  # is it there, import it, or stand in for it
    tuple(LEFT_OUT),  # nothing but the word that they are left out
    ("rockpool.utilities",),  # public faces of backends; trees
    ("rockpool.parameters",),
    ("rockpool.typehints", "rockpool.utilities.property_arrays"),
    ("rockpool.graph", "rockpool.timeseries"),
    ("rockpool.nn.description",),  # what a network is
    ("rockpool.nn.models", "rockpool.nn.kernels"),  # what a model is; its loops over arrays
    ("rockpool.nn.modules",),  # the base classes, and the lazy face
    ("rockpool.nn.modules.native",),  # the readable definition
    (
        "rockpool.nn.modules.numba",
        "rockpool.nn.modules.torch",
        "rockpool.nn.modules.jax",
        "rockpool.nn.modules.brian",
        "rockpool.nn.modules.nest",
    ),
    ("rockpool.nn.modules.sinabs",),  # on torch
    ("rockpool.nn.combinators",),
    ("rockpool.nn.obstacles", "rockpool.nn.costs"),  # what a back-end can hold; what it costs there
    ("rockpool.nn.choice",),  # the fastest
    ("rockpool.nn.networks", "rockpool.nn.losses"),
    ("rockpool.nn.conversion",),  # a network of one back-end from one of another
    ("rockpool.files", "rockpool.streaming", "rockpool.training"),
    ("rockpool.nir",),  # networks in other people's files
    ("rockpool.verification", "rockpool.profiling"),
    ("rockpool.plots",),
    ("rockpool.transform", "rockpool.utilities.benchmarking"),
    ("rockpool.data",),
    ("rockpool.cli", "rockpool._pyinstaller"),
    ("rockpool.__main__",),
)
# Lazy faces for users, of everything below them: they only name it, and no file imports them.
FACES = ("rockpool", "rockpool.nn")
# Floors inside a room: what all files share, loops, compiled kernels, and on top the public files.
INSIDE = {
    room: ((f"{room}._base",), (f"{room}._loops",), (f"{room}._kernels",), (room,))
    for room in ("rockpool.nn.modules.torch", "rockpool.nn.modules.jax")
}

# Which files may import what is neither ours nor the standard library's.
HOMES = {
    "numpy": tuple(
        f"rockpool.{room}"
        for room in "parameters typehints utilities graph timeseries nn training data cli files "
        "verification profiling plots streaming nir transform".split()
    ),
    "torch": (
        "rockpool.nn.modules.torch",
        "rockpool.nn.modules.sinabs",
        "rockpool.nn.networks",
        "rockpool.nn.losses",
        "rockpool.utilities.benchmarking.lif_benchmarks",
        "*_torch",
        "*.torch_*",
    ),
    "jax": (
        "rockpool.nn.modules.jax",
        "rockpool.transform.mismatch",
        "rockpool.utilities.benchmarking.lif_benchmarks",
        "*_jax",
        "*.jax_*",
    ),
    "jaxlib": ("rockpool.nn.modules.jax",),
    "numba": ("rockpool.nn.kernels", "rockpool.nn.modules.numba"),
    "triton": ("rockpool.nn.modules.torch._kernels.triton",),
    "llvmlite": ("rockpool.nn.kernels",),
    "brian2": ("rockpool.nn.modules.brian",),
    "nest": ("rockpool.nn.modules.nest",),
    "sinabs": ("rockpool.nn.modules.sinabs",),
    "scipy": ("rockpool.nn.modules.native.filter_bank",),
    "optax": ("rockpool.training.*jax_*",),
    "matplotlib": (
        "rockpool.plots",
        "rockpool.utilities.benchmarking.benchmark_utils",
        "rockpool.cli.*.picture",
        "rockpool.timeseries.series",
        "rockpool.nn.modules.native.filter_bank",
    ),
    "lazy_loader": ("rockpool.backends.lazy",),
    "safetensors": ("rockpool.files.network_file",),
    "nir": ("rockpool.nir.objects",),
    "aedat": ("rockpool.data.formats.aedat4",),
    "dv_processing": ("rockpool.data.formats.aedat4_writing",),
    "event_stream": ("rockpool.data.formats.es",),
    "h5py": ("rockpool.data.formats.*", "rockpool.nir.hdf5", "rockpool.nir.hdf5_writing"),
    "neo": ("rockpool.data.formats.neo_files",),
    "packaging": ("rockpool.backends",),
    "tqdm": ("rockpool.cli",),
    "PyInstaller": ("rockpool._pyinstaller",),
}

# What a file imports nevertheless -> why.
EXCEPTIONS = {
    ("rockpool.typehints", "torch"): "the type of a tensor, for type checkers alone",
    ("rockpool.nn.conversion", "torch"): "makes tensors of a description's arrays",
    ("rockpool.nn.conversion", "jax"): "makes arrays of jax of them",
    ("rockpool.nn.modules.torch.nir", "rockpool.nir.reading"): "3.1's name of what lies above",
    ("rockpool.nn.modules.torch.nir", "rockpool.nir.writing"): "3.1's name of what lies above",
    ("rockpool.verification.layers", "torch"): "calls a network of torch without gradients",
    ("rockpool.cli.bench.measure", "torch"): "sets the number of threads that are compared",
    ("rockpool.cli.bench.measure", "jax"): "waits for results, which jax computes later",
}


# --- what is wrong ---------------------------------------------------------------------------------


def room_of(name: str, floors: Sequence[Sequence[str]]) -> str | None:
    """The room that a file is in."""
    rooms = [room for floor in floors for room in floor if is_in(name, room)]
    return max(rooms, key=len, default=None)


def is_in(name: str, place: str) -> bool:
    """Whether a file is in a package, or is this file; a place may be a pattern."""
    return fnmatchcase(name, place) or fnmatchcase(name, f"{place}.*")


def not_downward(arrows: Arrows, floors: Sequence[Sequence[str]]) -> Iterator[tuple[Import, str]]:
    """The imports that do not run downward, and where they run."""
    level = {room: number for number, floor in enumerate(floors) for room in floor}
    for arrow in arrows.values():
        rooms = [room_of(name, floors) for name in (arrow.importer, arrow.imported)]
        below, above = rooms
        if below is None or above is None or below == above:
            continue
        if level[below] < level[above]:
            yield arrow, f"up, from {below} to {above}"
        elif level[below] == level[above]:
            yield arrow, f"across one floor, from {below} to {above}"


def away_from_home(
    imports: Iterable[Import], homes: Mapping[str, Sequence[str]], package: str
) -> Iterator[tuple[Import, str]]:
    """The imports of other packages by files that are none of their homes."""
    for entry in imports:
        top = entry.imported.partition(".")[0]
        if top in sys.stdlib_module_names or top == package:
            continue
        if not any(is_in(entry.importer, home) for home in homes.get(top, ())):
            yield entry, f"{top} outside its room" if top in homes else f"{top} has no room"


class House:
    """A package as its files import each other, and other packages."""

    def __init__(self, root: Path) -> None:
        self.files = import_graph.modules(root)
        self.imports = import_graph.imports(self.files)
        self.arrows = import_graph.arrows(self.imports, self.files)


@cache
def house() -> House:
    return House(Path(rockpool.__file__).parent)


def faults() -> Iterator[tuple[Import, str]]:
    """What is wrong with the package, exceptions included."""
    for floors in (FLOORS, *INSIDE.values()):
        yield from not_downward(house().arrows, floors)
    yield from away_from_home(house().imports, HOMES, "rockpool")


def exception(entry: Import) -> tuple[str, str]:
    """Where an import would stand in the table of exceptions."""
    ours = entry.imported.partition(".")[0] == "rockpool"
    return entry.importer, entry.imported if ours else entry.imported.partition(".")[0]


# --- the package -----------------------------------------------------------------------------------


def test_there_is_no_circle() -> None:
    found = import_graph.circles(house().arrows)
    assert not found, "\n\n".join("\n".join(map(str, circle)) for circle in found)


def test_imports_run_downward_and_back_ends_stay_in_their_rooms() -> None:
    found = [f"{entry}: {what}" for entry, what in faults() if exception(entry) not in EXCEPTIONS]
    assert not found, "\n".join(found)


def test_no_exception_is_unneeded() -> None:
    assert {exception(entry) for entry, _ in faults()} >= EXCEPTIONS.keys()


def test_each_file_has_a_room_and_each_room_has_files() -> None:
    rooms = {name: room_of(name, FLOORS) for name in house().files if name not in FACES}
    assert not [name for name, room in rooms.items() if room is None]
    assert set(rooms.values()) == {room for floor in FLOORS for room in floor}


def test_the_inner_floors_are_there() -> None:
    for room, floors in INSIDE.items():
        inside = {room_of(name, floors) for name in house().files if is_in(name, room)}
        assert inside == {inner for floor in floors for inner in floor}


def test_no_file_imports_the_faces_for_users() -> None:
    assert not [str(arrow) for arrow in house().arrows.values() if arrow.imported in FACES]


def test_each_home_has_a_file_that_needs_it() -> None:
    """For all but what is used in one place or another, or by type checkers alone."""
    users = {entry.imported.partition(".")[0] for entry in house().imports}
    assert HOMES.keys() - users <= {"jaxlib", "optax", "packaging", "tqdm"}


# --- what is seen as a fault: small made-up packages ------------------------------------------------

HOUSE_FLOORS = (("house.ground",), ("house.left", "house.right"), ("house.left.attic",))
HOUSE_HOMES = {"heavy": ("house.left", "*_heavy")}


@pytest.fixture
def build(tmp_path: Path):
    """Make a package of these files, by the names of the modules, and read it."""

    def make(**sources: str) -> House:
        root = tmp_path / "house"
        for name, source in sources.items():
            path = root.joinpath(*name.split("__")).with_suffix(".py")
            if name.endswith("__init"):
                path = path.with_name("__init__.py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        return House(root)

    return make


@pytest.mark.parametrize(
    "source",
    [
        "import house.ground",
        "from house.ground import thing",
        "from house import ground",
        "from . import ground",
        "from .ground import thing as other",
        "def f():\n    import house.ground",
        "class A:\n    def f(self):\n        if self: from . import ground",
        "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from house.ground import Thing",
        "try:\n    import house.ground\nexcept ImportError:\n    pass",
        "import importlib\nimportlib.import_module('house.ground')",
        "from importlib import import_module\nimport_module('.ground', __package__)",
        "__import__('house.ground')",
    ],
)
def test_every_way_to_import_is_seen(build, source: str) -> None:
    built = build(left=source, ground="")
    assert built.arrows.keys() == {("house.left", "house.ground")}


def test_relative_imports_start_from_the_package(build) -> None:
    built = build(
        left__init="from .attic import a\nfrom .. import ground",
        left__attic="from ..ground import b\nfrom . import cellar\nfrom .cellar import c",
        left__cellar="",
        ground="",
    )
    assert built.arrows.keys() == {
        ("house.left", "house.left.attic"),
        ("house.left", "house.ground"),
        ("house.left.attic", "house.ground"),
        ("house.left.attic", "house.left.cellar"),
    }


def test_a_name_from_a_lazy_package_is_an_import_of_the_package(build) -> None:
    built = build(left__init="", left__attic="from house.left import Other", left__other="")
    (root,) = {path.parents[1] for name, path in built.files.items() if name == "house.left.attic"}
    (root / "left" / "__init__.pyi").write_text("from .other import Other as Other")
    assert built.arrows.keys() == {("house.left.attic", "house.left")}


def test_text_is_no_import(build) -> None:
    assert not build(left='"""import house.ground"""\nimport_module(name)', ground="").arrows


def test_a_circle_is_told_with_its_lines_and_once(build) -> None:
    built = build(
        ground="import house.left\nimport house.alone",
        left="def f():\n    import house.right",
        right="if TYPE_CHECKING:\n    from house import ground",
        alone="",
    )
    (circle,) = import_graph.circles(built.arrows)
    assert list(map(str, circle)) == [
        "house.ground:1 -> house.left",
        "house.left:2 -> house.right",
        "house.right:2 -> house.ground",
    ]


def test_of_two_circles_through_one_file_the_shorter_is_told(build) -> None:
    built = build(a="import house.b, house.c", b="import house.c", c="import house.a")
    (circle,) = import_graph.circles(built.arrows)
    assert [arrow.importer for arrow in circle] == ["house.a", "house.c"]


def test_two_ways_to_one_file_are_no_circle(build) -> None:
    built = build(a="import house.b, house.c", b="import house.d", c="import house.d", d="")
    assert not import_graph.circles(built.arrows)


@pytest.mark.parametrize(
    ("importer", "imported", "fault"),
    [
        ("ground", "left", "up, from house.ground to house.left"),
        ("left", "left__attic", "up, from house.left to house.left.attic"),
        ("left__low", "left__attic", "up, from house.left to house.left.attic"),
        ("right", "left__low", "across one floor, from house.right to house.left"),
        ("left", "ground", None),
        ("left", "left__low", None),
        ("left__attic", "right", None),
    ],
)
def test_imports_have_to_run_downward(build, importer: str, imported: str, fault) -> None:
    target = f"house.{imported.replace('__', '.')}"
    built = build(**{imported: "", importer: f"import {target}"})
    found = [what for _, what in not_downward(built.arrows, HOUSE_FLOORS)]
    assert found == ([] if fault is None else [fault])


@pytest.mark.parametrize(
    ("importer", "source", "fault"),
    [
        ("ground", "import heavy", "heavy outside its room"),
        ("ground", "def f():\n    from heavy.inner import x", "heavy outside its room"),
        ("ground", "if TYPE_CHECKING:\n    import heavy.inner", "heavy outside its room"),
        ("left", "import unheard_of", "unheard_of has no room"),
        ("left__attic", "import heavy", None),
        ("ground_heavy", "import heavy", None),
        ("ground", "import os.path, house.left", None),
    ],
)
def test_other_packages_stay_in_their_rooms(build, importer: str, source: str, fault) -> None:
    built = build(**{importer: source})
    found = [what for _, what in away_from_home(built.imports, HOUSE_HOMES, "house")]
    assert found == ([] if fault is None else [fault])
