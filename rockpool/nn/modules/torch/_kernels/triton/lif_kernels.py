"""The LIF neuron in Triton, forward and backward, with an after-spike current or without.

The equations and the way back are those of `rockpool.nn.kernels.lif` and `lif_backward`. What is
absent is None. The kernels go through some of the time steps, from states in memory to states in
memory, so that a caller can do something between one part of them and the next: multiply spikes by
recurrent weights, or forget the membrane and compute it again.

Arrays over time are (B, total, N), or (B, total, N * S) with synapse ``s`` of neuron ``n`` at
``n * S + s``, and contiguous; input, noise and the gradient of the output have any strides.
"""

from __future__ import annotations

import triton
import triton.language as tl

from rockpool.nn.modules.torch._kernels.triton.parts import (
    add_to,
    count_spikes,
    in_order,
    keep_sum,
)

__all__ = ["lif_backward", "lif_forward"]


@triton.jit
def lif_forward(  # type: ignore[no-untyped-def]
    x,  # of any floating type
    x_batch,
    x_step,
    x_channel,
    irec,  # recurrent input of the one step there is then, (B, N * S)
    noise,
    noise_batch,
    noise_step,
    noise_neuron,
    alpha,  # (N,), as are bias, threshold, gamma and w_ahp
    beta,  # (N, S)
    bias,
    threshold,
    most,  # spikes in one time step, ()
    gamma,
    w_ahp,
    vmem,  # (B, N), changed, as are the other states
    isyn,  # (B, N, S)
    spikes,
    iahp,
    output,
    before,  # the membrane before the reset
    vmem_record,
    isyn_record,
    iahp_record,
    n_out,
    n_steps,
    total,
    S: tl.constexpr,
    WIDTH: tl.constexpr,  # S or the next power of two
    BLOCK: tl.constexpr,
    STAGES: tl.constexpr,
):
    """Run LIF neurons over some time steps."""
    n_blocks = tl.cdiv(n_out, BLOCK)
    b = (tl.program_id(0) // n_blocks).to(tl.int64)
    n = (tl.program_id(0) % n_blocks) * BLOCK + tl.arange(0, BLOCK)
    s = tl.arange(0, WIDTH)
    here = n < n_out
    there = here[:, None] & (s < S)[None, :]
    channel = n[:, None] * S + s[None, :]

    decay = tl.load(alpha + n, mask=here, other=0.0)
    decays = tl.load(beta + channel, mask=there, other=0.0)
    drive = tl.load(bias + n, mask=here, other=0.0)
    height = tl.load(threshold + n, mask=here, other=1.0)
    limit = tl.load(most)
    state, states = b * n_out + n, b * n_out * S + channel
    v = tl.load(vmem + state, mask=here, other=0.0)
    i = tl.load(isyn + states, mask=there, other=0.0)
    fired = tl.load(spikes + state, mask=here, other=0.0)
    if iahp is not None:
        current = tl.load(iahp + state, mask=here, other=0.0)
        decay_ahp = tl.load(gamma + n, mask=here, other=0.0)
        weight = tl.load(w_ahp + n, mask=here, other=0.0)

    x += b * x_batch
    at = b * total * n_out
    far = channel.to(tl.int64) * x_channel
    if noise is not None:
        noise += b * noise_batch
        far_noise = n.to(tl.int64) * noise_neuron
    for _ in tl.range(0, n_steps, num_stages=STAGES):
        i = i + tl.load(x + far, mask=there, other=0.0).to(v.dtype)
        if irec is not None:
            i = i + tl.load(irec + states, mask=there, other=0.0).to(v.dtype)
        i = i * decays
        v = v * decay + in_order(i, S, WIDTH)
        if iahp is not None:
            current = (current + fired * weight) * decay_ahp
            v = v + current
        if noise is not None:
            v = v + (tl.load(noise + far_noise, mask=here, other=0.0) + drive)
            noise += noise_step
        else:
            v = v + drive
        if before is not None:
            tl.store(before + at + n, v, mask=here)
        fired = count_spikes(v, height, limit)
        v = v - fired * height
        if output is not None:
            tl.store(output + at + n, fired, mask=here)
        if vmem_record is not None:
            tl.store(vmem_record + at + n, v, mask=here)
            tl.store(isyn_record + at * S + channel, i, mask=there)
        if iahp_record is not None:
            tl.store(iahp_record + at + n, current, mask=here)
        x += x_step
        at += n_out

    tl.store(vmem + state, v, mask=here)
    tl.store(isyn + states, i, mask=there)
    tl.store(spikes + state, fired, mask=here)
    if iahp is not None:
        tl.store(iahp + state, current, mask=here)


@triton.jit
def lif_backward(  # type: ignore[no-untyped-def]
    grad_output,
    output_batch,
    output_step,
    output_neuron,
    grad_vmem_record,
    grad_isyn_record,
    grad_iahp_record,
    x,  # None where no gradient of beta is asked for
    x_batch,
    x_step,
    x_channel,
    irec,
    before,
    alpha,
    beta,
    threshold,
    most,
    window,  # of the surrogate, ()
    gamma,
    w_ahp,
    vmem,  # the states before these steps; None: the step before them is in `before`
    spikes,
    grad_vmem,  # of the states after these steps, which become those before them
    grad_isyn,
    grad_spikes,
    grad_iahp,
    later,  # h of the synapses, (B, N, S), and of the after-spike current, (B, N): changed
    later_ahp,
    grad_x,  # (B, total, N * S)
    sums,  # of gradients of alpha, bias and threshold, (B, 3, N) of float64: added to
    sums_beta,  # (B, N, S)
    sums_ahp,  # w_ahp and gamma, (B, 2, N)
    n_out,
    n_steps,
    total,
    total_before,  # as `total`, of `before` alone
    S: tl.constexpr,
    WIDTH: tl.constexpr,
    PERIODIC: tl.constexpr,  # the surrogate: `PeriodicExponential`, else `StepPWL`
    BLOCK: tl.constexpr,
    STAGES: tl.constexpr,
):
    """Go back through some time steps of LIF neurons."""
    n_blocks = tl.cdiv(n_out, BLOCK)
    b = (tl.program_id(0) // n_blocks).to(tl.int64)
    n = (tl.program_id(0) % n_blocks) * BLOCK + tl.arange(0, BLOCK)
    s = tl.arange(0, WIDTH)
    here = n < n_out
    there = here[:, None] & (s < S)[None, :]
    channel = n[:, None] * S + s[None, :]

    decay = tl.load(alpha + n, mask=here, other=0.0)
    decays = tl.load(beta + channel, mask=there, other=0.0)
    height = tl.load(threshold + n, mask=here, other=1.0)
    limit, width = tl.load(most), tl.load(window)
    state, states = b * n_out + n, b * n_out * S + channel
    of_v = tl.load(grad_vmem + state, mask=here, other=0.0)
    of_i = tl.load(grad_isyn + states, mask=there, other=0.0)
    feedback = tl.load(grad_spikes + state, mask=here, other=0.0)
    sum_alpha = tl.zeros_like(of_v)
    sum_bias, sum_threshold = sum_alpha, sum_alpha
    lost_alpha, lost_bias, lost_threshold = sum_alpha, sum_alpha, sum_alpha
    if x is not None:
        h = tl.load(later + states, mask=there, other=0.0)
        sum_beta = tl.zeros_like(h)
        lost_beta = sum_beta
    if grad_iahp is not None:
        of_current = tl.load(grad_iahp + state, mask=here, other=0.0)
        decay_ahp = tl.load(gamma + n, mask=here, other=0.0)
        weight = tl.load(w_ahp + n, mask=here, other=0.0)
        h_ahp = tl.load(later_ahp + state, mask=here, other=0.0)
        sum_weight, lost_weight, sum_gamma, lost_gamma = sum_alpha, sum_alpha, sum_alpha, sum_alpha

    last = b * 0 + n_steps - 1
    at, at_before = (b * total + last) * n_out, (b * total_before + last) * n_out
    grad_output += b * output_batch + last * output_step
    far_output = n.to(tl.int64) * output_neuron
    if x is not None:
        x += b * x_batch + last * x_step
        far = channel.to(tl.int64) * x_channel
    u = tl.load(before + at_before + n, mask=here, other=0.0)
    count = count_spikes(u, height, limit)
    if vmem is not None:
        v_start = tl.load(vmem + state, mask=here, other=0.0)
        spikes_start = tl.load(spikes + state, mask=here, other=0.0)
    left = n_steps
    for _ in tl.range(0, n_steps, num_stages=STAGES):
        given = tl.load(grad_output + far_output, mask=here, other=0.0).to(of_v.dtype) + feedback
        if grad_vmem_record is not None:
            of_v = of_v + tl.load(grad_vmem_record + at + n, mask=here, other=0.0)
        # in the first step the states have it, after the reset
        at_before -= n_out
        at_previous = at_before if vmem is None else tl.maximum(at_before, b * total_before * n_out)
        previous = tl.load(before + at_previous + n, mask=here, other=0.0)
        count_before = count_spikes(previous, height, limit)
        v_before = previous - count_before * height
        if vmem is not None:
            v_before = tl.where(left > 1, v_before, v_start)
            count_before = tl.where(left > 1, count_before, spikes_start)

        of_spikes = given - height * of_v
        if PERIODIC:
            distance = u - height
            period = tl.floor((u - height / 2) / height)
            period = tl.where(period > limit - 1, limit - 1, period)
            distance = tl.where(distance >= 0, distance - period * height, distance)
            of_spikes = of_spikes * tl.exp(-tl.abs(distance) / width) / height
        else:
            of_spikes = tl.where(u < height - width, 0.0, of_spikes / height)
        of_u = of_v + of_spikes
        sum_alpha, lost_alpha = add_to(sum_alpha, lost_alpha, of_u * v_before)
        sum_bias, lost_bias = add_to(sum_bias, lost_bias, of_u)
        of_height = -(count * of_v + of_spikes * u / height)
        sum_threshold, lost_threshold = add_to(sum_threshold, lost_threshold, of_height)
        of_v = of_u * decay

        feedback = tl.zeros_like(of_u)
        if grad_iahp is not None:
            of_current = of_current + of_u
            if grad_iahp_record is not None:
                of_current = of_current + tl.load(grad_iahp_record + at + n, mask=here, other=0.0)
            h_ahp = of_current + decay_ahp * h_ahp
            of_current = of_current * decay_ahp
            feedback = weight * of_current
            sum_weight, lost_weight = add_to(sum_weight, lost_weight, count_before * of_current)
            of_gamma = count_before * weight * h_ahp
            sum_gamma, lost_gamma = add_to(sum_gamma, lost_gamma, of_gamma)

        of_i = of_i + of_u[:, None]
        if grad_isyn_record is not None:
            of_i = of_i + tl.load(grad_isyn_record + at * S + channel, mask=there, other=0.0)
        if x is not None:
            arriving = tl.load(x + far, mask=there, other=0.0).to(of_v.dtype)
            if irec is not None:
                recurrent = tl.load(irec + states, mask=there, other=0.0)
                arriving = arriving + recurrent.to(of_v.dtype)
            h = of_i + decays * h
            sum_beta, lost_beta = add_to(sum_beta, lost_beta, h * arriving)
            x -= x_step
        of_i = of_i * decays
        if grad_x is not None:
            tl.store(grad_x + at * S + channel, of_i, mask=there)
        u, count = previous, count_before
        grad_output -= output_step
        at -= n_out
        left -= 1

    tl.store(grad_vmem + state, of_v, mask=here)
    tl.store(grad_isyn + states, of_i, mask=there)
    tl.store(grad_spikes + state, feedback, mask=here)
    sums += 3 * b * n_out
    keep_sum(sums + n, sum_alpha, here)
    keep_sum(sums + n_out + n, sum_bias, here)
    keep_sum(sums + 2 * n_out + n, sum_threshold, here)
    if x is not None:
        tl.store(later + states, h, mask=there)
        keep_sum(sums_beta + states, sum_beta, there)
    if grad_iahp is not None:
        tl.store(grad_iahp + state, of_current, mask=here)
        tl.store(later_ahp + state, h_ahp, mask=here)
        sums_ahp += 2 * b * n_out
        keep_sum(sums_ahp + n, sum_weight, here)
        keep_sum(sums_ahp + n_out + n, sum_gamma, here)
