"""Trees of parameters: nested dicts, walked, looked up, changed and merged."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rockpool.utilities.tree_utils import (
    branches,
    get_nested,
    make_prototype_tree,
    set_matching,
    set_matching_select,
    set_nested,
    tree_find,
    tree_flatten,
    tree_map,
    tree_unflatten,
    tree_update,
)

TREE = {"a": 1, "b": {"c": 2, "d": {}}, "e": {}}


def test_branches_are_depth_first_and_skip_empty_nodes():
    tree = {"b": {"y": 0, "x": {"z": 0}}, "empty": {}, "a": 0}

    assert list(branches(tree)) == [("b", "y"), ("b", "x", "z"), ("a",)]


def test_branches_with_a_prefix():
    assert list(branches(TREE, ("net", 0))) == [("net", 0, "a"), ("net", 0, "b", "c")]


def test_get_nested_finds_leaves_and_nodes():
    assert get_nested(TREE, ("b", "c")) == 2
    assert get_nested(TREE, ("b",)) is TREE["b"]
    assert get_nested(TREE, ()) is TREE


@pytest.mark.parametrize("branch", [("x",), ("b", "x"), ("b", "d", "x"), ("a", "x")])
def test_get_nested_outside_the_tree(branch):
    with pytest.raises(KeyError, match="x"):
        get_nested(TREE, branch)


def test_set_nested_changes_a_copy():
    original = copy.deepcopy(TREE)

    changed = set_nested(TREE, ("b", "c"), 9)

    assert changed == {"a": 1, "b": {"c": 9, "d": {}}, "e": {}}
    assert original == TREE


def test_set_nested_in_place_creates_the_last_key():
    tree = copy.deepcopy(TREE)

    assert set_nested(tree, ("b", "new"), 9, inplace=True) is tree
    assert tree["b"] == {"c": 2, "d": {}, "new": 9}


@pytest.mark.parametrize("branch", [("x", "y"), ("a", "y"), ()])
def test_set_nested_outside_the_tree(branch):
    with pytest.raises(KeyError):
        set_nested(TREE, branch, 0)


def test_set_matching_sets_each_branch_of_the_target():
    original = copy.deepcopy(TREE)

    assert set_matching(TREE, {"a": None, "b": {"c": 0}}, 7) == {
        "a": 7,
        "b": {"c": 7, "d": {}},
        "e": {},
    }
    assert original == TREE


def test_set_matching_select_sets_where_the_target_is_true():
    tree = copy.deepcopy(TREE)

    changed = set_matching_select(tree, {"a": False, "b": {"c": True}}, 7, inplace=True)

    assert changed is tree
    assert tree == {"a": 1, "b": {"c": 7, "d": {}}, "e": {}}


def test_prototype_marks_the_branches_of_the_target():
    assert make_prototype_tree(TREE, {"b": {"c": 0}}) == {
        "a": False,
        "b": {"c": True, "d": {}},
        "e": {},
    }


def test_prototype_warns_if_the_target_is_the_larger_tree():
    with pytest.warns(SyntaxWarning, match="right order"):
        assert make_prototype_tree({"a": 1}, {"a": 0, "b": 0}) == {"a": True}


def test_tree_map_takes_the_tree_first():
    assert tree_map(TREE, lambda leaf: leaf * 10) == {"a": 10, "b": {"c": 20, "d": {}}, "e": {}}


def test_flatten_gives_leaves_and_structure():
    leaves, treedef = tree_flatten(TREE)

    assert leaves == [1, 2]
    assert treedef == {"a": None, "b": {"c": None, "d": {}}, "e": {}}


def test_flatten_appends_to_a_list():
    leaves = [0]

    assert tree_flatten(TREE, leaves)[0] is leaves
    assert leaves == [0, 1, 2]


def test_unflatten_hands_back_what_is_left():
    tail: list = []

    assert tree_unflatten({"a": None}, [5, 6, 7], tail) == {"a": 5}
    assert tail == [6, 7]


def test_unflatten_with_too_few_leaves():
    with pytest.raises(ValueError, match="2 leaves"):
        tree_unflatten({"a": None, "b": None}, [1])


def test_update_merges_node_by_node():
    original = copy.deepcopy(TREE)

    merged = tree_update(TREE, {"b": {"c": 9, "n": 1}, "e": 4, "a": {"deep": 5}})

    assert merged == {"a": {"deep": 5}, "b": {"c": 9, "d": {}, "n": 1}, "e": 4}
    assert original == TREE


def test_update_in_place():
    tree = {"a": {"b": 1}}

    assert tree_update(tree, {"a": {"c": 2}}, inplace=True) is tree
    assert tree == {"a": {"b": 1, "c": 2}}


def test_find_gives_the_branches_to_true_leaves():
    assert list(tree_find({"a": True, "b": {"c": 0, "d": "x"}})) == [("a",), ("b", "d")]


trees = st.recursive(
    st.dictionaries(st.text("abc", min_size=1, max_size=2), st.integers(), max_size=3),
    lambda children: st.dictionaries(
        st.text("abc", min_size=1, max_size=2), st.integers() | children, max_size=3
    ),
    max_leaves=8,
)


@settings(deadline=None, max_examples=25)
@given(tree=trees)
def test_flatten_and_unflatten_are_inverse(tree):
    leaves, treedef = tree_flatten(tree)

    assert tree_unflatten(treedef, leaves) == tree
    assert leaves == [get_nested(tree, branch) for branch in branches(tree)]


@settings(deadline=None, max_examples=25)
@given(tree=trees)
def test_a_tree_is_all_true_in_its_own_prototype(tree):
    prototype = make_prototype_tree(tree, tree)

    assert list(tree_find(prototype)) == list(branches(tree))
