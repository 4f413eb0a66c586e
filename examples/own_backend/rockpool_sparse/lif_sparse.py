"""The leaky integrate-and-fire neuron with sparse recurrent weights: `LIFSparse`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from rockpool.nn.modules import LIF
from rockpool.parameters import Parameter, SimulationParameter

if TYPE_CHECKING:
    from rockpool.graph import GraphHolder

__all__ = ["LIFSparse"]


class LIFSparse(LIF):
    r"""A layer of leaky integrate-and-fire neurons, few of which are connected to each other.

    The model is that of `rockpool.nn.modules.LIF`, and so are the answers. Only the connections
    that exist are stored and multiplied: a time step costs as much as there are connections, where
    `LIF` takes ``Nout * Nin``.

    Parameters
    ----------
    shape : int or tuple of int
        ``N``, ``(N,)`` or ``(Nin, Nout)``; `Nin` is a multiple of `Nout`.
    w_rec : scipy.sparse array or array_like
        Recurrent weights, shape (Nout, Nin). Zeros of a dense array are no connections.
    tau_mem, tau_syn, bias, threshold : array_like, optional
        As for `LIF`.
    noise_std, max_spikes_per_dt, dt : float
        As for `LIF`.
    spiking_input, spiking_output : bool
        As for `LIF`.

    Attributes
    ----------
    w_rec_values : np.ndarray
        The weights of the connections that exist, a parameter of family ``"weights"``.
    connections : scipy.sparse.csr_array
        The recurrent weights as a matrix, shape (Nout, Nin).

    Raises
    ------
    ValueError
        The weights do not have the shape (Nout, Nin).

    Examples
    --------
    >>> import numpy as np
    >>> from rockpool_sparse import LIFSparse, random_weights
    >>> layer = LIFSparse(1000, random_weights((1000, 1000), density=0.01, seed=0))
    >>> spikes, state, record = layer(np.ones((1, 10, 1000)))
    >>> spikes.shape, layer.parameters("weights")["w_rec_values"].shape
    ((1, 10, 1000), (10000,))
    """

    # assigned as parameter objects, read as bare values
    w_rec_values: Any
    _columns: Any
    _row_ends: Any

    def __init__(
        self,
        shape: int | tuple[int, ...],
        w_rec: Any,
        tau_mem: ArrayLike | None = None,
        tau_syn: ArrayLike | None = None,
        bias: ArrayLike | None = None,
        threshold: ArrayLike | None = None,
        noise_std: float = 0.0,
        max_spikes_per_dt: float = 2.0**16,
        dt: float = 1e-3,
        spiking_input: bool = False,
        spiking_output: bool = True,
    ) -> None:
        super().__init__(
            shape,
            tau_mem=tau_mem,
            tau_syn=tau_syn,
            bias=bias,
            threshold=threshold,
            noise_std=noise_std,
            max_spikes_per_dt=max_spikes_per_dt,
            dt=dt,
            spiking_input=spiking_input,
            spiking_output=spiking_output,
        )
        matrix = sparse.csr_array(w_rec)
        matrix.sum_duplicates()
        if matrix.shape != (self.size_out, self.size_in):
            raise ValueError(
                f"{type(self).__name__}: w_rec must have the shape (Nout, Nin) = "
                f"{(self.size_out, self.size_in)}, got {matrix.shape}"
            )
        self.w_rec_values = Parameter(
            matrix.data.astype(float), family="weights", shape=matrix.data.shape
        )
        self._columns = SimulationParameter(matrix.indices, shape=matrix.indices.shape)
        self._row_ends = SimulationParameter(matrix.indptr, shape=matrix.indptr.shape)

    @property
    def connections(self) -> sparse.csr_array:
        """The recurrent weights as a sparse matrix, shape (Nout, Nin)."""
        return sparse.csr_array(
            (self.w_rec_values, self._columns, self._row_ends), shape=(self.size_out, self.size_in)
        )

    def evolve(
        self, input_data: ArrayLike, record: bool = False
    ) -> tuple[np.ndarray, dict[str, Any], dict[str, Any]]:
        """Evolve the neurons over time.

        What the spikes of the last step bring through the recurrent weights is input like any
        other, so each step is one step of `LIF`.

        Parameters
        ----------
        input_data : array_like
            Input to the synapses, shape (B, T, Nin), (T, Nin) or (T,).
        record : bool
            Whether to return the time course of the internal values. Default: False.

        Returns
        -------
        output : np.ndarray
            Number of spikes of each neuron in each time step, shape (B, T, Nout).
        new_state, record_dict : dict
            As `LIF.evolve`.
        """
        data, (spikes,) = self._auto_batch(input_data, (self.spikes,), ((self.size_out,),))
        connections = self.connections
        keep = self.keeps_batch_state
        self.keep_batch_state()  # between the steps
        output = np.empty((*data.shape[:2], self.size_out))
        records: dict[str, list[np.ndarray]] = {}
        try:
            for step in range(data.shape[1]):
                irec = spikes @ connections
                once, _, recorded = super().evolve((data[:, step] + irec)[:, np.newaxis], record)
                spikes = output[:, step] = once[:, 0]
                for key, values in recorded.items():
                    shown = irec.reshape(values.shape) if key == "irec" else values
                    records.setdefault(key, []).append(shown)
        finally:
            self.keep_batch_state(keep)
        return output, self.state(), {k: np.concatenate(v, axis=1) for k, v in records.items()}

    def as_graph(self) -> GraphHolder:
        """Return the layer as a graph, with dense recurrent weights."""
        dense = LIF(
            self.shape,
            tau_mem=self.tau_mem,
            tau_syn=self.tau_syn,
            bias=self.bias,
            threshold=self.threshold,
            dt=self.dt,
            has_rec=True,
            w_rec=self.connections.toarray(),
        )
        return dense.as_graph()
