"""Nodes, modules and holders of a graph, and how they keep track of each other."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rockpool.graph import (
    GraphHolder,
    GraphModule,
    GraphModuleBase,
    GraphNode,
    SetList,
    as_GraphHolder,
)


class TestSetList:
    def test_elements_are_unique_and_in_order(self):
        elements = SetList([3, 1, 3, 2])
        elements.append(1)
        elements.add(4)
        elements.extend([2, 5, 5])

        assert elements == [3, 1, 2, 4, 5]

    def test_elements_need_not_be_hashable(self):
        elements = SetList([[1], [1], {"a": 2}])
        elements.extend([{"a": 2}, 3])

        assert elements == [[1], {"a": 2}, 3]

    @settings(deadline=None, max_examples=25)
    @given(st.lists(st.integers(0, 5)), st.lists(st.integers(0, 5)))
    def test_extending_is_as_adding_one_by_one(self, first, second):
        extended, added = SetList(first), SetList(first)

        extended.extend(second)
        for element in second:
            added.add(element)

        assert extended == added == list(dict.fromkeys(first + second))

    def test_replace(self):
        elements = SetList([1, 2, 3])
        elements.replace(2, 9)
        elements.replace(7, 8)

        assert elements == [1, 9, 3]

    def test_copies_are_set_lists(self):
        elements = SetList([1, 2])

        for twin in (copy.deepcopy(elements), pickle.loads(pickle.dumps(elements))):
            assert isinstance(twin, SetList) and twin == elements


class TestNode:
    def test_starts_without_links(self):
        first, second = GraphNode(), GraphNode()
        first.add_source(GraphModule._factory(1, 1, "a"))

        assert len(first.source_modules) == 1 and first.sink_modules == []
        assert second.source_modules == []

    def test_sources_and_sinks_are_added_once_and_removed(self):
        node, module = GraphNode(), GraphModule._factory(1, 1, "a")

        node.add_source(module)
        node.add_source(module)
        node.add_sink(module)
        assert node.source_modules == [module] and node.sink_modules == [module]

        node.remove_source(module)
        node.remove_sink(module)
        node.remove_sink(module)
        assert node.source_modules == [] and node.sink_modules == []

    @pytest.mark.parametrize("add", [GraphNode.add_source, GraphNode.add_sink])
    def test_holders_are_refused(self, add):
        with pytest.raises(ValueError, match="GraphHolder cannot be"):
            add(GraphNode(), GraphHolder._factory(1, 1, "h"))

    def test_repr(self):
        node = GraphNode()
        assert repr(node) == f"GraphNode {id(node)} with 0 source modules and 0 sink modules"


class TestModule:
    def test_the_factory_makes_nodes_that_know_the_module(self):
        module = GraphModule._factory(2, 3, "name", "computation")

        assert len(module.input_nodes) == 2 and len(module.output_nodes) == 3
        assert all(node.sink_modules == [module] for node in module.input_nodes)
        assert all(node.source_modules == [module] for node in module.output_nodes)
        assert module.name == "name" and module.computational_module == "computation"

    def test_node_lists_are_set_lists_of_their_own(self):
        nodes = [GraphNode(), GraphNode()]

        module = GraphModule(nodes, nodes, "m", None)

        assert isinstance(module.input_nodes, SetList) and module.input_nodes == nodes
        module.remove_input(nodes[0])
        assert module.output_nodes == nodes

    def test_links_follow_added_and_removed_nodes(self):
        module, node = GraphModule._factory(1, 1, "m"), GraphNode()

        module.add_input(node)
        module.add_output(node)
        assert node.sink_modules == node.source_modules == [module]

        module.remove_input(node)
        module.remove_output(node)
        module.remove_output(node)
        assert node.sink_modules == node.source_modules == []

    def test_clearing(self):
        module = GraphModule._factory(2, 2, "m")
        nodes = [*module.input_nodes, *module.output_nodes]

        module.clear_inputs()
        module.clear_outputs()

        assert module.input_nodes == module.output_nodes == []
        assert not any(node.sink_modules or node.source_modules for node in nodes)

    def test_equality_is_identity(self):
        first, second = GraphModule._factory(1, 1, "m"), GraphModule._factory(1, 1, "m")

        assert first != second and len({first, second}) == 2

    def test_there_is_no_conversion(self):
        with pytest.raises(ValueError, match="no rule to convert"):
            GraphModule._convert_from(GraphModule._factory(1, 1, "m"))

    @pytest.mark.parametrize(
        "name, expected",
        [
            ("m", 'GraphModule "m" with 2 input nodes -> 1 output nodes'),
            (None, "GraphModule with 2 input nodes -> 1 output nodes"),
        ],
    )
    def test_repr(self, name, expected):
        assert repr(GraphModule._factory(2, 1, name)) == expected


class TestHolder:
    def test_its_nodes_do_not_know_of_it(self):
        holder = GraphHolder._factory(1, 1, "h")
        holder.add_input(node := GraphNode())

        assert node.sink_modules == [] and holder.output_nodes[0].source_modules == []

    def test_of_a_module(self):
        module = GraphModule._factory(2, 3, "m", "computation")

        holder = as_GraphHolder(module)

        assert type(holder) is GraphHolder and isinstance(holder, GraphModuleBase)
        assert holder.input_nodes == module.input_nodes
        assert holder.output_nodes == module.output_nodes
        assert holder.name == "m" and holder.computational_module is None
        holder.clear_inputs()
        assert len(module.input_nodes) == 2 and module.input_nodes[0].sink_modules == [module]


def test_graphs_can_be_copied_and_pickled():
    module = GraphModule._factory(1, 1, "m")

    for twin in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert twin.input_nodes[0].sink_modules == [twin]
        assert twin.input_nodes[0] is not module.input_nodes[0]
