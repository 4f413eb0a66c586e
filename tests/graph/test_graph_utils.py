"""Connecting, collecting, finding and replacing modules of a graph."""

from __future__ import annotations

import copy
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rockpool.graph import (
    AliasConnection,
    GenericNeurons,
    GraphHolder,
    GraphModule,
    GraphNode,
    LIFNeuronWithSynsRealValue,
    LinearWeights,
    RateNeuronWithSynsRealValue,
    SetList,
    as_GraphHolder,
    bag_graph,
    connect_modules,
    find_modules_of_subclass,
    find_recurrent_modules,
    replace_module,
)
from rockpool.nn.combinators import Residual, Sequential
from rockpool.nn.modules import LIF, Flatten, Linear, Rate


def module(size_in=1, size_out=1, name="m"):
    return GraphModule._factory(size_in, size_out, name)


def is_consistent(graph) -> bool:
    """Return True if every module and every node of a graph know each other."""
    _, modules = bag_graph(graph)
    return all(m in node.sink_modules for m in modules for node in m.input_nodes) and all(
        m in node.source_modules for m in modules for node in m.output_nodes
    )


class TestConnect:
    @pytest.mark.parametrize("hold_source", [False, True])
    @pytest.mark.parametrize("hold_dest", [False, True])
    def test_the_nodes_of_the_source_take_over(self, hold_source, hold_dest):
        first, second = module(1, 3, "first"), module(3, 1, "second")
        kept, gone = list(first.output_nodes), list(second.input_nodes)
        source = as_GraphHolder(first) if hold_source else first
        dest = as_GraphHolder(second) if hold_dest else second

        connect_modules(source, dest)

        assert source.output_nodes == dest.input_nodes == second.input_nodes == kept
        assert all(node.source_modules == [first] for node in kept)
        assert all(node.sink_modules == [second] for node in kept)
        assert not any(node.source_modules or node.sink_modules for node in gone)
        assert is_consistent(first)

    def test_all_readers_and_writers_of_the_node_move(self):
        source, dest = module(1, 1, "source"), module(1, 1, "dest")
        other_sink = GraphModule(dest.input_nodes, [], "sink", None)
        recurrent = GraphModule(dest.output_nodes, dest.input_nodes, "recurrent", None)

        connect_modules(source, dest)

        node = source.output_nodes[0]
        assert node.source_modules == [source, recurrent]
        assert node.sink_modules == [dest, other_sink]
        assert other_sink.input_nodes == recurrent.output_nodes == [node]

    def test_a_holder_whose_inputs_are_its_outputs(self):
        source, dest = module(1, 2), GraphHolder._factory(2, 0, "through")
        for node in dest.input_nodes:
            dest.add_output(node)

        connect_modules(source, dest)

        assert dest.input_nodes == dest.output_nodes == source.output_nodes

    def test_some_of_the_nodes(self):
        source, dest = module(1, 3), module(4, 1)
        untouched = dest.input_nodes[0]

        connect_modules(source, dest, [2, 0], [1, 3])

        assert dest.input_nodes[1] is source.output_nodes[2]
        assert dest.input_nodes[3] is source.output_nodes[0]
        assert dest.input_nodes[0] is untouched
        assert source.output_nodes[1].sink_modules == []

    def test_one_output_to_several_inputs(self):
        source, dest = module(1, 1), module(2, 1)

        connect_modules(source, dest, [0, 0], [0, 1])

        assert dest.input_nodes == [source.output_nodes[0]] * 2
        assert source.output_nodes[0].sink_modules == [dest]

    def test_what_is_connected_already_stays(self):
        first, second = module(1, 2), module(2, 1)

        connect_modules(first, second)
        connect_modules(first, second)

        assert first.output_nodes == second.input_nodes and is_consistent(first)

    @pytest.mark.parametrize(
        "indices, error, words",
        [
            ((None, None), ValueError, "2 output nodes .* 3 input nodes"),
            (([0], None), ValueError, "1 output nodes .* 3 input nodes"),
            (([0, 1], [2]), ValueError, "2 output nodes .* 1 input nodes"),
            (([0, 5], [0, 1]), IndexError, "source_indices must be below 2.*got 5"),
            (([0, 1], [0, 3]), IndexError, "dest_indices must be below 3.*got 3"),
        ],
    )
    def test_numbers_must_agree(self, indices, error, words):
        source, dest = module(1, 2), module(3, 1)

        with pytest.raises(error, match=words):
            connect_modules(source, dest, *indices)
        assert all(node.source_modules == [] for node in dest.input_nodes)


class TestBag:
    def test_a_chain_comes_in_the_order_of_evolution(self):
        chain = [module(2, 2, f"m{index}") for index in range(6)]
        for first, second in pairwise(chain):
            connect_modules(first, second)

        nodes, modules = bag_graph(GraphHolder(chain[0].input_nodes, [], "net", None))

        assert modules == chain and len(nodes) == 14

    def test_holders_are_not_collected(self):
        holder = as_GraphHolder(inner := module())

        nodes, modules = bag_graph(holder)

        assert modules == [inner] and len(nodes) == 2

    def test_modules_without_nodes(self):
        alone = module(0, 0)

        assert bag_graph(alone) == ([], [alone])

    def test_what_is_in_the_bags_already_is_not_entered_again(self):
        first, second = module(name="first"), module(name="second")
        connect_modules(first, second)
        known = bag_graph(module(name="other"))

        nodes, modules = bag_graph(first, *known)
        assert [m.name for m in modules] == ["other", "first", "second"]
        assert len(nodes) == 5

    def test_deep_networks(self):
        chain = [module(1, 1, str(index)) for index in range(3000)]
        for first, second in pairwise(chain):
            connect_modules(first, second)

        assert bag_graph(chain[0])[1] == chain

    @settings(deadline=None, max_examples=25)
    @given(
        st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=10), st.integers(0, 5)
    )
    def test_everything_that_is_connected_is_found(self, edges, start):
        modules = [module(1, 1, index) for index in range(6)]
        for source, dest in edges:
            connect_modules(modules[source], modules[dest])

        found = bag_graph(modules[start])[1]

        group = {start}
        while grown := {x for edge in edges if group & set(edge) for x in edge} - group:
            group |= grown
        assert {m.name for m in found} == group
        assert is_consistent(modules[start])


class TestFind:
    def test_by_class(self):
        net = Sequential(Linear((2, 3)), LIF(3), Linear((3, 2)), Rate(2))
        graph = net.as_graph()

        assert len(find_modules_of_subclass(graph, LinearWeights)) == 2
        assert len(find_modules_of_subclass(graph, GenericNeurons)) == 2
        assert len(find_modules_of_subclass(graph, LIFNeuronWithSynsRealValue)) == 1
        assert find_modules_of_subclass(graph, AliasConnection) == []

    def test_recurrent_neurons_and_their_weights(self):
        net = Sequential(Linear((2, 4)), LIF((4, 2), has_rec=True), Linear((2, 2)), Rate(2))

        modules, recurrent = find_recurrent_modules(net.as_graph())

        assert len(modules) == 5
        assert [type(m) for m in recurrent] == [LinearWeights, LIFNeuronWithSynsRealValue]
        assert all(m.computational_module is net[1] for m in recurrent)

    def test_a_loop_of_one(self):
        loop = module(1, 1)
        connect_modules(loop, loop)

        assert find_recurrent_modules(loop) == ([loop], [loop])

    def test_a_chain_has_none(self):
        assert find_recurrent_modules(Sequential(Linear((2, 2)), LIF(2)).as_graph())[1] == []


class TestReplace:
    def test_the_new_module_gets_nodes_and_links(self):
        before, old, after = module(1, 2), module(2, 3, "old"), module(3, 1)
        connect_modules(before, old)
        connect_modules(old, after)
        new = module(2, 3, "new")
        left_over = [*new.input_nodes, *new.output_nodes]

        replace_module(old, new)

        assert new.input_nodes == before.output_nodes
        assert new.output_nodes == after.input_nodes
        assert bag_graph(before)[1] == [before, new, after] and is_consistent(before)
        assert old.input_nodes == old.output_nodes == []
        assert not any(node.source_modules or node.sink_modules for node in left_over)

    @pytest.mark.parametrize("sizes, words", [((1, 3), "input_nodes"), ((2, 1), "output_nodes")])
    def test_sizes_must_agree(self, sizes, words):
        old, new = module(2, 3), module(*sizes)

        with pytest.raises(ValueError, match=f"same number of {words}"):
            replace_module(old, new)
        assert len(old.input_nodes) == 2 and old.input_nodes[0].sink_modules == [old]


class TestNetworks:
    def test_a_sequential_is_connected_and_held(self):
        net = Sequential(Linear((2, 4)), LIF((4, 2)), Linear((2, 4)), LIF((4, 2)), Linear((2, 3)))

        graph = net.as_graph()
        _, modules = bag_graph(graph)

        assert isinstance(graph, GraphHolder) and graph.computational_module is net
        assert graph.name == f"ModSequential__{id(net)}"
        assert len(graph.input_nodes) == 2 and len(graph.output_nodes) == 3
        assert [m.computational_module for m in modules] == list(net)
        np.testing.assert_array_equal(modules[0].weights, net[0].weight)

    def test_recurrent_weights_are_one_module_more(self):
        plain = Sequential(Linear((2, 2)), LIF(2))
        recurrent = Sequential(Linear((2, 2)), LIF(2, has_rec=True))

        assert len(bag_graph(plain.as_graph())[1]) == 2
        assert len(bag_graph(recurrent.as_graph())[1]) == 3

    def test_nested_containers(self):
        net = Sequential(Linear((1, 2)), Sequential(LIF(2), Linear((2, 3))), Rate(3))

        _, modules = bag_graph(net.as_graph())

        kinds = [
            LinearWeights,
            LIFNeuronWithSynsRealValue,
            LinearWeights,
            RateNeuronWithSynsRealValue,
        ]
        assert [type(m) for m in modules] == kinds

    def test_a_residual_block_has_an_alias(self):
        block = Residual(Linear((2, 2)), Rate(2))

        graph = block.as_graph()
        (alias,) = find_modules_of_subclass(graph, AliasConnection)

        assert isinstance(graph, GraphHolder)
        assert alias.input_nodes == graph.input_nodes
        assert alias.output_nodes == graph.output_nodes
        assert len(bag_graph(graph)[1]) == 3
        net = Sequential(Linear((1, 2)), block, Linear((2, 1)))
        assert len(bag_graph(net.as_graph())[1]) == 5

    def test_the_graph_of_a_network_that_has_been_used_can_be_copied(self):
        net = Sequential(Linear((2, 4)), LIF((4, 2), has_rec=True))
        net(np.ones((2, 5, 2)), record=True)

        twin = copy.deepcopy(net.as_graph())

        assert len(bag_graph(twin)[1]) == 3 and is_consistent(twin)

    def test_an_empty_container_has_no_graph(self):
        with pytest.raises(ValueError, match="without modules"):
            Sequential().as_graph()


def weights(n_in: int, n_out: int, name: str) -> LinearWeights:
    return LinearWeights._factory(n_in, n_out, name, None, np.ones((n_in, n_out)))


def test_a_node_at_two_places_keeps_both() -> None:
    first, second, third = weights(2, 1, "first"), weights(2, 2, "second"), weights(2, 2, "third")
    connect_modules(first, second, [0, 0], [0, 1])
    (node,) = first.output_nodes
    assert len(as_GraphHolder(second).input_nodes) == 2
    replace_module(second, third)
    assert list(third.input_nodes) == [node, node] and not second.input_nodes
    assert node.sink_modules == [third] and len(third.output_nodes) == 2
    third.remove_input(node)
    assert list(third.input_nodes) == [node] and node.sink_modules == [third]
    third.remove_input(node)
    assert not third.input_nodes and not node.sink_modules


def test_outputs_that_meet_keep_their_places() -> None:
    first, second, third = weights(2, 2, "first"), weights(2, 2, "second"), weights(2, 2, "third")
    connect_modules(first, second, [0, 1], [0, 0])
    before = list(first.output_nodes)
    replace_module(first, third)
    assert list(third.output_nodes) == before


def test_what_is_no_module_is_refused_and_changes_nothing() -> None:
    module, holder = weights(2, 2, "module"), as_GraphHolder(weights(2, 2, "inside"))
    for arguments in ((module, holder), (holder, module)):
        with pytest.raises(TypeError, match="_module must be a GraphModule, got GraphHolder"):
            replace_module(*arguments)  # type: ignore[arg-type]
    assert len(module.input_nodes) == len(holder.input_nodes) == 2
    with pytest.raises(TypeError, match="source must be a module or holder of a graph, got 3"):
        connect_modules(3, module)  # type: ignore[arg-type]
    for role in ("source_modules", "sink_modules"):
        with pytest.raises(ValueError, match="a GraphHolder cannot be a"):
            GraphNode(**{role: SetList([holder])})


def test_a_residual_around_nothing_doubles() -> None:
    graph = Residual(Flatten(3)).as_graph()
    modules, recurrent = find_recurrent_modules(graph)
    (doubled,) = modules
    assert isinstance(doubled, LinearWeights) and not recurrent
    np.testing.assert_array_equal(doubled.weights, 2 * np.eye(3))
    assert list(graph.input_nodes) == list(doubled.input_nodes)
