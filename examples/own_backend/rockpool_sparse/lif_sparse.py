"""The leaky integrate-and-fire neuron with sparse recurrent weights: `LIFSparse`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse

from rockpool.nn.models.exp_syn import decay
from rockpool.nn.models.finite_input import require_finite
from rockpool.nn.modules import LIF
from rockpool.nn.modules.native.noise import drawn_noise
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
        data, _ = self._auto_batch(input_data)
        n_batch, n_steps, _ = data.shape
        vmem, isyn, spikes = (
            self._batched_state(name, n_batch) for name in ("vmem", "isyn", "spikes")
        )
        alpha, beta = decay(self.dt, self.tau_mem), decay(self.dt, self.tau_syn)
        connections = self.connections
        output = np.empty((n_batch, n_steps, self.size_out))
        drive = np.broadcast_to(self.bias, output.shape)
        if self.noise_std:
            drive = drawn_noise(self, output.shape) + self.bias
        records = self._empty_records(output) if record else {}

        for step in range(n_steps):
            irec = (spikes @ connections).reshape(isyn.shape)
            isyn = (isyn + data[:, step].reshape(isyn.shape) + irec) * beta
            vmem = vmem * alpha + sum(isyn.transpose(2, 0, 1)) + drive[:, step]
            spikes = np.clip(np.floor(vmem / self.threshold), 0.0, self.max_spikes_per_dt)
            vmem = vmem - spikes * self.threshold
            output[:, step] = spikes
            if record:
                records["irec"][:, step] = irec
                records["isyn"][:, step] = isyn
                records["vmem"][:, step] = vmem

        require_finite(self, data, isyn)
        return output, self._keep_state(vmem=vmem, isyn=isyn, spikes=spikes), records

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
