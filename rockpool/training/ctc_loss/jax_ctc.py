"""The CTC loss in jax: `ctc_loss_jax`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from rockpool.training.ctc_loss.numpy_ctc import BLANK, check_input, check_length, with_blanks

__all__ = ["ctc_loss_jax"]


def ctc_loss_jax(
    label: Sequence[int] | jax.Array, log_prob: Any, seq_length: Any, big_num: float | int = 1e10
) -> jax.Array:
    """Return ``-log p(label)`` under connectionist temporal classification.

    As `ctc_loss_numpy`, and can be differentiated, jitted and mapped over; labels and length may
    then be traced, so that sequences of several lengths fit one compiled function.

    Parameters and errors are those of `ctc_loss_numpy`.
    """
    owner = "ctc_loss_jax"
    scores = jnp.asarray(log_prob)
    extended = _extended(owner, label, scores.shape)
    if not isinstance(seq_length, jax.core.Tracer):
        check_length(owner, int(seq_length), scores.shape[0])
    two_before = jnp.concatenate([jnp.full(2, BLANK), extended[:-2]])
    skip = (extended != BLANK) & (extended != two_before)

    emissions = scores[:, extended]  # (T, positions)
    positions = jnp.arange(len(extended))
    start = jnp.where(positions < 2, emissions[0], -big_num)

    def step(alpha: jax.Array, inputs: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, None]:
        time, emission = inputs
        one = jnp.where(positions < 1, -big_num, jnp.roll(alpha, 1))
        two = jnp.where(skip & (positions > 1), jnp.roll(alpha, 2), -big_num)
        reached = jax.nn.logsumexp(jnp.stack([alpha, one, two]), axis=0)
        following = jnp.maximum(reached + emission, -big_num)
        return jnp.where(time < seq_length, following, alpha), None

    times = jnp.arange(1, len(emissions))
    alpha, _ = lax.scan(step, start, (times, emissions[1:]))
    return -jnp.logaddexp(alpha[-1], alpha[-2])


def _extended(owner: str, label: Any, shape: tuple[int, ...]) -> jax.Array:
    """Return labels with blanks around them, checked as far as they are known."""
    if not isinstance(label, jax.core.Tracer):
        extended = with_blanks(owner, label)
        check_input(owner, extended, shape)
        return jnp.asarray(extended)
    known = with_blanks(owner, np.zeros(label.shape, int))
    check_input(owner, known, shape)
    return jnp.asarray(known).at[1::2].set(label)
