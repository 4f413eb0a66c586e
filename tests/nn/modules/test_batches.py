"""Input of a module, and its states for each element of a batch."""

from __future__ import annotations

import copy
import itertools
import sys

import jax.numpy as jnp
import numpy as np
import pytest
import torch
from support.user_modules import Gain, Pair, Plain

from rockpool.nn import modules


class TestAutoBatch:
    @pytest.mark.parametrize(
        "shape, size, expected",
        [
            ((5,), 1, (1, 5, 1)),
            ((5,), 3, (1, 5, 3)),
            ((5, 3), 3, (1, 5, 3)),
            ((5, 1), 3, (1, 5, 3)),
            ((2, 5, 3), 3, (2, 5, 3)),
            ((2, 5, 1), 3, (2, 5, 3)),
            ((2, 5, 4), None, (2, 5, 4)),
        ],
    )
    def test_input_becomes_three_dimensional(self, shape, size, expected):
        given = np.random.rand(*shape).astype("float32")

        data, states = Plain(size)._auto_batch(given)

        assert data.dtype == np.float64 and states == ()
        target = given[None, :, None] if given.ndim == 1 else given
        np.testing.assert_array_equal(data, np.broadcast_to(target, expected))
        data[:] = 0
        assert given.any()

    @pytest.mark.parametrize(
        "data, words",
        [
            (1.0, "scalar"),
            (np.ones((5, 2)), r"3 channels.*got 2 in the shape \(5, 2\)"),
            (np.ones((4, 5, 2)), "3 channels"),
            (np.ones((1, 4, 5, 3)), "got 4 dimensions"),
        ],
    )
    def test_bad_input(self, data, words):
        with pytest.raises(ValueError, match=f"Plain: .*{words}"):
            Plain(3)._auto_batch(data)

    def test_states_are_repeated_over_the_batch(self):
        own, shared, scalar = np.arange(2), np.array([[1.0, 2.0]]), 5.0

        _, states = Plain(2)._auto_batch(
            np.ones((3, 4, 2)), (own, shared, scalar), (None, (4, 2), (2,))
        )

        np.testing.assert_array_equal(states[0], [[0, 1]] * 3)
        np.testing.assert_array_equal(states[1], np.broadcast_to([1.0, 2.0], (3, 4, 2)))
        np.testing.assert_array_equal(states[2], np.full((3, 2), 5.0))
        assert states[0].dtype == np.float64

    def test_states_without_target_shapes_keep_their_own(self):
        _, (state,) = Plain(2)._auto_batch(np.ones((3, 4, 2)), (np.ones((2, 5)),))

        assert state.shape == (3, 2, 5)


class TestBatchState:
    DATA = np.random.default_rng(0).random((3, 8, 2))

    def test_by_default_all_go_on_from_element_zero(self):
        module = Gain(2)

        module(self.DATA)

        np.testing.assert_array_equal(module.total, self.DATA[0].sum(0))
        assert not module.keeps_batch_state

    def test_chunks_of_a_batch_give_what_one_call_gives(self):
        whole, chunked = Gain(2), Gain(2)
        whole.keep_batch_state()
        assert chunked.keep_batch_state(True) is chunked

        whole(self.DATA)
        for start in (0, 3, 5):
            end = {0: 3, 3: 5, 5: 8}[start]
            _, state, _ = chunked(self.DATA[:, start:end])

        assert state["total"].shape == (3, 2)
        np.testing.assert_allclose(chunked.total, whole.total, rtol=1e-12)
        np.testing.assert_allclose(chunked.total, self.DATA.sum(1), rtol=1e-12)

    def test_reset_goes_back_to_the_shape_without_batch(self):
        module = Gain(2).keep_batch_state()
        module(self.DATA)

        module.reset_state()

        assert module.total.shape == (2,)
        module(self.DATA[:2])
        assert module.total.shape == (2, 2)

    def test_another_batch_size_is_an_error_and_changes_nothing(self):
        pair = Pair()
        pair.keep_batch_state()
        pair(self.DATA)
        before = pair.first.total

        with pytest.raises(ValueError, match=r"Gain 'first'.*batch of 3.*batch of 1.*reset_state"):
            pair(self.DATA[:1])

        assert pair.first.total is before

    def test_a_kept_batch_of_one_is_not_spread(self):
        module = Gain(2).keep_batch_state()
        module(self.DATA[:1])

        with pytest.raises(ValueError, match="batch of 1"):
            module(self.DATA)

    def test_the_setting_reaches_all_modules_inside(self):
        outer = Plain()
        outer.pair = Pair()

        outer.keep_batch_state()
        outer.late = Pair()

        for pair in (outer.pair, outer.late):
            assert pair.first.keeps_batch_state and pair.second.keeps_batch_state

    def test_switching_off_keeps_element_zero(self):
        pair = Pair()
        pair.keep_batch_state()
        pair(self.DATA)

        pair.keep_batch_state(False)

        np.testing.assert_array_equal(pair.first.total, self.DATA[0].sum(0))
        pair(self.DATA[:2])

    def test_the_state_can_be_taken_out_and_put_back(self):
        module, twin = Gain(2).keep_batch_state(), Gain(2).keep_batch_state()
        _, state, _ = module(self.DATA)

        twin.set_attributes(state)

        np.testing.assert_array_equal(twin.total, module.total)

    @pytest.mark.parametrize(
        "keep, value, allowed",
        [
            (False, np.ones((3, 2)), r"\(2,\), got"),
            (True, np.ones((3, 4)), r"\(2,\) or \(B, 2\), got"),
            (True, np.ones((5, 3, 2)), r"\(2,\) or \(B, 2\), got"),
            (True, 1.0, r"\(2,\) or \(B, 2\), got"),
        ],
    )
    def test_other_shapes_are_errors(self, keep, value, allowed):
        module = Gain(2).keep_batch_state(keep)

        with pytest.raises(ValueError, match=f"total must have the shape {allowed}"):
            module.total = value

    def test_parameters_have_no_batch(self):
        with pytest.raises(ValueError, match=r"gain must have the shape \(2,\), got"):
            Gain(2).keep_batch_state().gain = np.ones((3, 2))

    @pytest.mark.parametrize("targets", [None, ((2,),)])
    def test_auto_batch_takes_kept_states_as_they_are(self, targets):
        module = Gain(2).keep_batch_state()
        module(self.DATA)

        _, (total,) = module._auto_batch(self.DATA, (module.total,), targets)

        np.testing.assert_array_equal(total, module.total)
        with pytest.raises(ValueError, match="batch of 3"):
            module._auto_batch(self.DATA[:2], (module.total,), targets)

    def test_what_evolve_starts_from_can_be_edited(self):
        module = Gain(2).keep_batch_state()
        _, state, _ = module(self.DATA)
        before = state["total"].copy()

        module._batched_state("total", 3)[:] = 0

        np.testing.assert_array_equal(state["total"], before)


class TestInputOfOddTypes:
    @pytest.mark.parametrize("name", ["LIF", "LIFNumba", "Rate", "RateNumba", "ExpSyn", "Linear"])
    @pytest.mark.parametrize(
        ("data", "error", "got"),
        [
            (np.ma.masked_array([[1.0, 2.0]], [[False, True]]), TypeError, "a masked array"),
            (np.ones((3, 2)) * 1j, TypeError, "complex128"),
            (np.array([["2020", "2021"]], dtype="datetime64[Y]"), TypeError, "datetime64"),
            ([["1", "2"]], TypeError, "<U1 from list"),
            (None, TypeError, "object from NoneType"),
            ([[None, 1.0]], TypeError, "object from list"),
            ([[1.0, 2.0], [1.0]], ValueError, "lists of unequal length"),
            (torch.ones(3, 2, requires_grad=True), TypeError, "detach"),
        ],
    )
    def test_is_refused_by_name(self, name, data, error, got):
        module = getattr(modules, name)((2, 2) if name == "Linear" else 2)
        before = copy.deepcopy(module.state())

        with pytest.raises(error, match=f"{name}: the input must be an array of real.*{got}"):
            module(data)

        assert str(module.state()) == str(before)

    @pytest.mark.parametrize("data", [[[True, False]], [[1, 0]], jnp.ones((1, 2), jnp.bfloat16)])
    def test_numbers_of_any_kind_are_taken(self, data):
        output = modules.LIF(2)(data)[0]

        np.testing.assert_array_equal(output, modules.LIFNumba(2)(data)[0])


class TestErrors:
    @pytest.mark.parametrize("name", ["LIF", "LIFNumba", "Rate", "RateNumba", "ExpSyn"])
    def test_wherever_memory_ends_the_state_is_that_before(self, name):
        module = getattr(modules, name)(2)
        data = np.ones((1, 2, 2))
        before = str(module.state())
        getattr(modules, name)(2)(data)  # what is compiled is compiled now

        for line in itertools.count(1):
            try:
                at_line(line, lambda: module(data))
            except MemoryError:
                if str(module.state()) != before:
                    break  # stored in one step, and nothing left to do but to return
            else:
                break

        after = str(module.state())
        module.reset_state()(data)
        assert line > 10 and str(module.state()) == after


def at_line(number, call):
    """Call, and raise a MemoryError at a line of the package, by its number in order."""
    lines = itertools.count(1)

    def trace(frame, event, argument):
        if event == "line" and "rockpool" in frame.f_code.co_filename and next(lines) == number:
            raise MemoryError
        return trace

    earlier = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(earlier)
