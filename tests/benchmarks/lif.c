/* The LIF neuron in C, forward and backward: what a compiler makes of the plain loops.
 *
 * One synapse for each neuron, no recurrence, no noise, single precision (-DREAL=double: double);
 * arrays are (batch, time, neuron). The surrogate gradient is StepPWL: 1 / threshold above
 * threshold - window. Nothing here is part of the package; the benchmark compiles it to have
 * something to compare the kernels with.
 */
#include <string.h>
#include <tgmath.h>

#ifndef REAL
#define REAL float
#endif

static REAL spikes_of(REAL u, REAL threshold)
{
    REAL count = floor(u / threshold);
    return count > 0 ? count : 0;
}

void forward(long batch, long steps, long n, const REAL *restrict x,
             const REAL *restrict alpha, const REAL *restrict beta, const REAL *restrict bias,
             const REAL *restrict threshold, REAL *restrict v, REAL *restrict i,
             REAL *restrict output, REAL *restrict before)
{
    for (long b = 0; b < batch; b++, v += n, i += n)
        for (long t = 0; t < steps; t++, x += n, output += n, before += n)
            for (long k = 0; k < n; k++) {
                REAL current = (i[k] + x[k]) * beta[k];
                REAL u = v[k] * alpha[k] + current + bias[k];
                REAL count = spikes_of(u, threshold[k]);
                i[k] = current;
                before[k] = u;
                output[k] = count;
                v[k] = u - count * threshold[k];
            }
}

/* rest: n zeros; grad_v, grad_i, later: n numbers each; gradients of the parameters are added. */
void backward(long batch, long steps, long n, const REAL *restrict grad_output,
              const REAL *restrict x, const REAL *restrict before,
              const REAL *restrict alpha, const REAL *restrict beta,
              const REAL *restrict threshold, REAL window, const REAL *restrict rest,
              REAL *restrict grad_v, REAL *restrict grad_i, REAL *restrict later, REAL *restrict grad_x,
              REAL *restrict grad_alpha, REAL *restrict grad_beta, REAL *restrict grad_bias,
              REAL *restrict grad_threshold)
{
    for (long b = 0; b < batch; b++) {
        memset(grad_v, 0, n * sizeof(REAL));
        memset(grad_i, 0, n * sizeof(REAL));
        memset(later, 0, n * sizeof(REAL));
        for (long t = steps - 1; t >= 0; t--) {
            long at = (b * steps + t) * n;
            const REAL *restrict earlier = t > 0 ? before + at - n : rest;
            for (long k = 0; k < n; k++) {
                REAL u = before[at + k], height = threshold[k];
                REAL previous = earlier[k];
                REAL v_before = previous - spikes_of(previous, height) * height;
                REAL slope = u >= height - window ? 1 / height : 0;
                REAL of_spikes = (grad_output[at + k] - height * grad_v[k]) * slope;
                REAL of_u = grad_v[k] + of_spikes;
                grad_threshold[k] -= spikes_of(u, height) * grad_v[k] + of_spikes * u / height;
                grad_bias[k] += of_u;
                grad_alpha[k] += of_u * v_before;
                grad_v[k] = of_u * alpha[k];
                REAL of_current = of_u + grad_i[k];
                later[k] = of_current + beta[k] * later[k];
                grad_beta[k] += later[k] * x[at + k];
                grad_i[k] = of_current * beta[k];
                grad_x[at + k] = grad_i[k];
            }
        }
    }
}
