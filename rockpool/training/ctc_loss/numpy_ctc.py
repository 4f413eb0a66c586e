"""The CTC loss in numpy, which is the definition, and what all back-ends share.

Why torch's and optax's own do not serve: these take it that each row of `log_prob` has come out of
a log-softmax. The gradient of torch's with respect to `log_prob` is off by the probabilities, and
has no derivative; it is infinite where labels do not fit into the time steps. optax's takes the
log-softmax itself, which changes the loss of other rows, and is NaN where a probability is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rockpool.typehints import ArrayLike

__all__ = ["ctc_loss_numpy"]

BLANK = 0


def with_blanks(owner: str, label: Any) -> NDArray[np.int_]:
    """Return labels with a blank before, between and behind them."""
    labels = np.asarray(label)
    if labels.ndim != 1 or len(labels) == 0:
        raise ValueError(f"{owner}: label must be a sequence of at least one label, got {label!r}")
    extended = np.full(2 * len(labels) + 1, BLANK)
    extended[1::2] = labels
    return extended


def may_skip(extended: NDArray[np.int_]) -> NDArray[np.bool_]:
    """Return where one can come from two positions before: to a label, from another one."""
    two_before = np.concatenate([[BLANK, BLANK], extended[:-2]])
    return (extended != BLANK) & (extended != two_before)


def check_input(owner: str, extended: NDArray[np.int_], shape: tuple[int, ...]) -> None:
    """Raise a ValueError if the labels or the length do not fit the probabilities."""
    if len(shape) != 2:
        raise ValueError(f"{owner}: log_prob must have the shape (T, n_labels), got {tuple(shape)}")
    if extended.min() < 0 or extended.max() >= shape[1]:
        raise ValueError(
            f"{owner}: labels must be between 0 and {shape[1] - 1}, for {shape[1]} columns of "
            f"log_prob, got {extended[1::2].tolist()}"
        )


def check_length(owner: str, seq_length: int, n_steps: int) -> None:
    """Raise a ValueError if there are not as many time steps."""
    if not 1 <= seq_length <= n_steps:
        raise ValueError(
            f"{owner}: seq_length must be between 1 and the {n_steps} time steps of log_prob, got "
            f"{seq_length}"
        )


def ctc_loss_numpy(
    label: Sequence[int], log_prob: ArrayLike, seq_length: int, big_num: float | int = 1e10
) -> float:
    """Return ``-log p(label)`` under connectionist temporal classification.

    The probability of a label sequence is that of all paths over the time steps which give it once
    repetitions are merged and blanks are removed. Label 0 is the blank.

    Parameters
    ----------
    label : sequence of int
        The labels, at least one, without blanks.
    log_prob : array (T, n_labels)
        Logarithm of the probability of each label, blank included, in each time step.
    seq_length : int
        Number of time steps to use.
    big_num : float
        Stands for infinity: the logarithm of what is impossible is its negative. Default: 1e10.

    Returns
    -------
    float
        The loss.

    Raises
    ------
    ValueError
        No label, an unknown label, or a wrong shape or length.

    References
    ----------
    A. Graves, S. Fernández, F. Gomez, J. Schmidhuber, Connectionist temporal classification:
    labelling unsegmented sequence data with recurrent neural networks, ICML (2006).
    """
    owner = "ctc_loss_numpy"
    scores = np.asarray(log_prob, dtype=np.float64)
    extended = with_blanks(owner, label)
    check_input(owner, extended, scores.shape)
    check_length(owner, seq_length, len(scores))
    skip = may_skip(extended)
    # log probability of being at each position of the extended labels
    alpha = np.full(len(extended), -big_num)
    alpha[:2] = scores[0, extended[:2]]
    for score in scores[1:seq_length]:
        one_before = np.concatenate([[-big_num], alpha[:-1]])
        two_before = np.where(skip, np.concatenate([[-big_num, -big_num], alpha[:-2]]), -big_num)
        reached = np.logaddexp(np.logaddexp(alpha, one_before), two_before)
        alpha = np.maximum(reached + score[extended], -big_num)
    return -float(np.logaddexp(alpha[-1], alpha[-2]))
