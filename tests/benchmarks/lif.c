/* The LIF neuron in C, forward and backward: what a compiler makes of the plain loops.
 *
 * One synapse for each neuron, no recurrence, no noise, single precision; arrays are (batch, time,
 * neuron). The surrogate gradient is StepPWL: 1 / threshold above threshold - window. Nothing here
 * is part of the package; the benchmark compiles it to have something to compare the kernels with.
 */
#include <math.h>
#include <string.h>

static float spikes_of(float u, float threshold)
{
    float count = floorf(u / threshold);
    return count > 0 ? count : 0;
}

void forward(long batch, long steps, long n, const float *restrict x,
             const float *restrict alpha, const float *restrict beta, const float *restrict bias,
             const float *restrict threshold, float *restrict v, float *restrict i,
             float *restrict output, float *restrict before)
{
    for (long b = 0; b < batch; b++, v += n, i += n)
        for (long t = 0; t < steps; t++, x += n, output += n, before += n)
            for (long k = 0; k < n; k++) {
                float current = (i[k] + x[k]) * beta[k];
                float u = v[k] * alpha[k] + current + bias[k];
                float count = spikes_of(u, threshold[k]);
                i[k] = current;
                before[k] = u;
                output[k] = count;
                v[k] = u - count * threshold[k];
            }
}

/* rest: n zeros; grad_v, grad_i, later: n numbers each; gradients of the parameters are added. */
void backward(long batch, long steps, long n, const float *restrict grad_output,
              const float *restrict x, const float *restrict before,
              const float *restrict alpha, const float *restrict beta,
              const float *restrict threshold, float window, const float *restrict rest,
              float *restrict grad_v, float *restrict grad_i, float *restrict later, float *restrict grad_x,
              float *restrict grad_alpha, float *restrict grad_beta, float *restrict grad_bias,
              float *restrict grad_threshold)
{
    for (long b = 0; b < batch; b++) {
        memset(grad_v, 0, n * sizeof(float));
        memset(grad_i, 0, n * sizeof(float));
        memset(later, 0, n * sizeof(float));
        for (long t = steps - 1; t >= 0; t--) {
            long at = (b * steps + t) * n;
            const float *restrict earlier = t > 0 ? before + at - n : rest;
            for (long k = 0; k < n; k++) {
                float u = before[at + k], height = threshold[k];
                float previous = earlier[k];
                float v_before = previous - spikes_of(previous, height) * height;
                float slope = u >= height - window ? 1 / height : 0;
                float of_spikes = (grad_output[at + k] - height * grad_v[k]) * slope;
                float of_u = grad_v[k] + of_spikes;
                grad_threshold[k] -= spikes_of(u, height) * grad_v[k] + of_spikes * u / height;
                grad_bias[k] += of_u;
                grad_alpha[k] += of_u * v_before;
                grad_v[k] = of_u * alpha[k];
                float of_current = of_u + grad_i[k];
                later[k] = of_current + beta[k] * later[k];
                grad_beta[k] += later[k] * x[at + k];
                grad_i[k] = of_current * beta[k];
                grad_x[at + k] = grad_i[k];
            }
        }
    }
}
