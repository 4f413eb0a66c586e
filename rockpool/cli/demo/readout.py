"""Ridge regression in closed form, its penalty chosen by leaving out one sample at a time."""

from __future__ import annotations

import numpy as np

__all__ = ["Ridge"]

# Half decades: the error changes little between neighbours.
PENALTIES = 10.0 ** np.arange(-1.0, 6.5, 0.5)


class Ridge:
    r"""A linear classifier: ridge regression onto one column for each class.

    .. math::

        W = (X^T X + \lambda I)^{-1} X^T Y, \qquad
        e_i = \frac{y_i - \hat{y}_i}{1 - h_{ii}}, \qquad
        H = X (X^T X + \lambda I)^{-1} X^T + \tfrac{1}{n}

    with centred X and Y. The error :math:`e_i` of sample i under the fit to all others needs no
    other fit; the penalty :math:`\lambda` is the one of `PENALTIES` with the least mean square of
    these errors.

    Source: D. M. Allen, "The relationship between variable selection and data augmentation and a
    method for prediction", Technometrics 16 (1974).

    It is fitted to features (samples, features) and labels (samples,), whole numbers from 0.
    """

    penalty: float  # that was chosen
    loo_accuracy: float  # share of the samples that the fit to all others classifies rightly

    def __init__(self, features: np.ndarray, labels: np.ndarray) -> None:
        targets = np.eye(int(labels.max()) + 1)[labels]
        self._mean_in = features.mean(axis=0)
        self._mean_out = targets.mean(axis=0)
        centred = targets - self._mean_out
        left, singular, right = np.linalg.svd(features - self._mean_in, full_matrices=False)
        seen = left.T @ centred
        least = np.inf
        self.penalty = float(PENALTIES[-1])
        for penalty in PENALTIES:
            kept = singular**2 / (singular**2 + penalty)
            hat = np.minimum((left**2) @ kept + 1.0 / len(features), 1.0 - 1e-9)
            error = (centred - (left * kept) @ seen) / (1.0 - hat)[:, np.newaxis]
            if np.mean(error**2) < least:
                least = float(np.mean(error**2))
                self.penalty = float(penalty)
                guesses = np.argmax(targets - error, axis=1)
        self.loo_accuracy = float(np.mean(guesses == labels))
        self._weights = right.T @ ((singular / (singular**2 + self.penalty))[:, np.newaxis] * seen)

    def classify(self, features: np.ndarray) -> np.ndarray:
        """The class of each row of features, shape (samples,)."""
        return np.argmax((features - self._mean_in) @ self._weights + self._mean_out, axis=1)
