"""The functions in C of which networks consist; each source has those that it needs."""

from __future__ import annotations

from rockpool.nn.kernels import operations as op

__all__ = ["HELPERS", "MAIN", "NEEDS_MATH"]

_FUNCTIONS = {
    "absolute": "fabsf(x[k])",
    "exp": "expf(x[k])",
    "floor": "floorf(x[k])",
    "negative": "-x[k]",
    "relu": "x[k] < 0.0f ? 0.0f : x[k]",
    "sqrt": "sqrtf(x[k])",
    "square": "x[k] * x[k]",
    "tanh": "tanhf(x[k])",
}

NEEDS_MATH = frozenset(
    ["activate_tanh", "activate_sigmoid"]
    + [f"apply_{name}" for name, text in _FUNCTIONS.items() if "f(" in text]
)

# Each helper by its name, in the order in which they stand in the file
HELPERS: dict[str, str] = {
    "net_row": """\
/* One number for each neuron (step 1), or one for all of them (step 0). */
typedef struct {
    const float *at;
    int step;
} net_row;
""",
    "clear": """\
static void clear(float *row, int n)
{
    int k;
    for (k = 0; k < n; k++)
        row[k] = 0.0f;
}
""",
    "copy": """\
static void copy(const float *from, float *to, int n)
{
    int k;
    for (k = 0; k < n; k++)
        to[k] = from[k];
}
""",
    "add_rows": """\
/* y = x weight: the rows of inputs that are not 0 are added up, one after the other. */
static void add_rows(const float *x, int n_in, const float *weight, float *y, int n_out)
{
    int j, k;
    for (k = 0; k < n_out; k++)
        y[k] = 0.0f;
    for (j = 0; j < n_in; j++, weight += n_out) {
        const float factor = x[j];
        if (factor != 0.0f)
            for (k = 0; k < n_out; k++)
                y[k] += factor * weight[k];
    }
}
""",
    "add_rows_int8": """\
/* y = x (scale weight): the rows of inputs that are not 0 are added up, one after the other. */
static void add_rows_int8(const float *x, int n_in, const int8_t *weight, float scale, float *y,
                          int n_out)
{
    int j, k;
    for (k = 0; k < n_out; k++)
        y[k] = 0.0f;
    for (j = 0; j < n_in; j++, weight += n_out) {
        const float factor = x[j];
        if (factor != 0.0f)
            for (k = 0; k < n_out; k++) {
                const float value = (float)weight[k] * scale;
                y[k] += factor * value;
            }
    }
}
""",
    "add_bias": """\
static void add_bias(net_row bias, float *y, int n)
{
    int k;
    for (k = 0; k < n; k++)
        y[k] += bias.at[k * bias.step];
}
""",
    "add_up": """\
static void add_up(const float *a, const float *b, float *y, int n)
{
    int k;
    for (k = 0; k < n; k++)
        y[k] = a[k] + b[k];
}
""",
    "lif_layer": """\
typedef struct {
    int n, synapses;                   /* neurons, and synapses of each */
    net_row alpha, beta;               /* decay of membranes and of synaptic currents in a step */
    net_row bias, threshold;
    float most;                        /* spikes of a neuron in one step */
    net_row gamma, w_ahp;              /* decay and weight of the after-spike current */
} lif_layer;
""",
    "lif_step": """\
/* One time step of leaky integrate-and-fire neurons. Synapse s of neuron n is number
 * n * synapses + s. spikes are those of the step before, then of this one. arriving, from
 * recurrent weights, and iahp, the after-spike current, are null where there are none. */
static void lif_step(const lif_layer *p, const float *x, const float *arriving, float *vmem,
                     float *isyn, float *iahp, float *spikes)
{
    int n, s, k = 0;
    for (n = 0; n < p->n; n++) {
        const float threshold = p->threshold.at[n * p->threshold.step];
        float total = 0.0f, v, ratio, count, reset;
        for (s = 0; s < p->synapses; s++, k++) {
            float current = isyn[k] + x[k];
            if (arriving)
                current += arriving[k];
            current *= p->beta.at[k * p->beta.step];
            isyn[k] = current;
            total = s == 0 ? current : total + current;
        }
        v = vmem[n] * p->alpha.at[n * p->alpha.step];
        v += total;
        if (iahp) {
            float after = spikes[n] * p->w_ahp.at[n * p->w_ahp.step];
            after = iahp[n] + after;
            after *= p->gamma.at[n * p->gamma.step];
            iahp[n] = after;
            v += after;
        }
        v += p->bias.at[n * p->bias.step];
        ratio = v / threshold;
        if (ratio < 0.0f)
            count = 0.0f;
        else if (ratio < 8388608.0f)   /* from 2^23 on there are whole numbers alone */
            count = (float)(int32_t)ratio;
        else
            count = ratio;
        if (count > p->most)
            count = p->most;
        reset = count * threshold;
        spikes[n] = count;
        vmem[n] = v - reset;
    }
}
""",
    "euler_layer": """\
typedef struct {
    int n;
    net_row a_mem, g_mem, leak;        /* what is left of membranes, gain of currents, and what
                                          is added in any case */
    net_row a_syn, g_syn;              /* what is left of synaptic currents, gain of the input */
    net_row threshold, v_reset;
    float most;                        /* spikes of a neuron in one step */
    int at_once;                       /* the input of a synapse decays in its own step */
    int old;                           /* membranes see the current before its update */
    int reset;                         /* 0: none, 1: to v_reset, 2: by threshold - v_reset */
    int when;                          /* 0: at once, 1: a step late, 2: seen a step ahead */
    int strict;                        /* fires above the threshold, not at it */
    int late;                          /* the output comes a step late */
} euler_layer;
""",
    "euler_step": """\
static float euler_reset(const euler_layer *p, float v, float spikes, float v_reset, float span)
{
    if (p->reset == 1)
        return spikes > 0.0f ? v_reset : v;
    if (p->reset == 2) {
        const float down = spikes * span;
        return v - down;
    }
    return v;
}

/* How often a membrane at or above its threshold passes it, counted from v_reset. */
static float euler_count(const euler_layer *p, float above, float span)
{
    const float times = above / span;
    float count = times;
    if (times < 8388608.0f) {          /* from 2^23 on there are whole numbers alone */
        count = (float)(int32_t)times;
        if (p->strict && count == times)
            count -= 1.0f;
    } else if (p->strict) {
        count -= 1.0f;
    }
    if (count < 1.0f)
        count = 1.0f;
    return count > p->most ? p->most : count;
}

/* One time step of neurons of NIR. arriving, from recurrent weights, isyn and spikes are null where
 * there are none; y is their spikes, or their membranes where they do not fire. */
static void euler_step(const euler_layer *p, const float *x, const float *arriving, float *vmem,
                       float *isyn, float *spikes, float *y)
{
    int k;
    for (k = 0; k < p->n; k++) {
        const float before = vmem[k];
        float current = x[k], v, kept, added;
        if (p->late)
            y[k] = spikes ? spikes[k] : before;
        if (arriving)
            current += arriving[k];
        if (isyn) {
            const float last = isyn[k];
            if (p->at_once) {
                current += last;
                current *= p->a_syn.at[k * p->a_syn.step];
            } else {
                kept = last * p->a_syn.at[k * p->a_syn.step];
                added = current * p->g_syn.at[k * p->g_syn.step];
                current = kept + added;
            }
            isyn[k] = current;
            if (p->old)
                current = last;
        }
        kept = before * p->a_mem.at[k * p->a_mem.step];
        added = current * p->g_mem.at[k * p->g_mem.step];
        v = kept + added;
        v += p->leak.at[k * p->leak.step];
        if (spikes) {
            const float threshold = p->threshold.at[k * p->threshold.step];
            const float v_reset = p->v_reset.at[k * p->v_reset.step];
            const float span = threshold - v_reset;
            float seen;
            if (p->when == 1)
                v = euler_reset(p, v, spikes[k], v_reset, span);
            seen = v;
            if (p->when == 2 && (p->strict ? before > threshold : before >= threshold))
                seen -= span;
            if (p->strict ? seen > threshold : seen >= threshold)
                spikes[k] = p->most == 1.0f ? 1.0f : euler_count(p, seen - v_reset, span);
            else
                spikes[k] = 0.0f;
            if (p->when != 1)
                v = euler_reset(p, v, spikes[k], v_reset, span);
        }
        vmem[k] = v;
        if (!p->late)
            y[k] = spikes ? spikes[k] : v;
    }
}
""",
    "exp_syn_step": """\
/* One time step of exponential synapses. */
static void exp_syn_step(const float *x, net_row beta, float *isyn, int n)
{
    int k;
    for (k = 0; k < n; k++) {
        const float current = isyn[k] + x[k];
        isyn[k] = current * beta.at[k * beta.step];
    }
}
""",
    "activate_relu": """\
static void activate_relu(const float *state, net_row threshold, float *activity, int n)
{
    int k;
    for (k = 0; k < n; k++) {
        const float above = state[k] - threshold.at[k * threshold.step];
        activity[k] = above < 0.0f ? 0.0f : above;
    }
}
""",
    "activate_tanh": """\
static void activate_tanh(const float *state, net_row threshold, float *activity, int n)
{
    int k;
    for (k = 0; k < n; k++)
        activity[k] = tanhf(state[k] - threshold.at[k * threshold.step]);
}
""",
    "activate_sigmoid": """\
static void activate_sigmoid(const float *state, net_row threshold, float *activity, int n)
{
    int k;
    for (k = 0; k < n; k++) {
        const float value = tanhf(state[k] - threshold.at[k * threshold.step]) + 1.0f;
        activity[k] = value / 2.0f;
    }
}
""",
    "rate_step": """\
/* One time step of the states of rate neurons; arriving is null where nothing is recurrent. */
static void rate_step(const float *x, const float *arriving, net_row gain, net_row bias,
                      float *state, int n)
{
    int k;
    for (k = 0; k < n; k++) {
        float change = x[k] + bias.at[k * bias.step];
        change -= state[k];
        if (arriving)
            change += arriving[k];
        change *= gain.at[k * gain.step];
        state[k] += change;
    }
}
""",
}
for _name in op.FUNCTIONS:
    HELPERS[f"apply_{_name}"] = f"""\
static void apply_{_name}(const float *x, float *y, int n)
{{
    int k;
    for (k = 0; k < n; k++)
        y[k] = {_FUNCTIONS[_name]};
}}
"""

MAIN = r"""
#include <stdio.h>
#include <stdlib.h>

#include "net.h"

int main(void)
{
    static net_state state;
    static float in[NET_INPUTS], out[NET_OUTPUTS];
    static char line[NET_INPUTS * 32 + 64];
    long number = 0;
    int k;

    net_init(&state);
    while (fgets(line, sizeof line, stdin)) {
        char *at = line, *end;
        number++;
        while (*at == ' ' || *at == '\t' || *at == '\r')
            at++;
        if (*at == '\n' || *at == '\0')
            continue;
        for (k = 0; k < NET_INPUTS; k++) {
            in[k] = strtof(at, &end);
            while (end != at && (*end == ' ' || *end == '\t' || *end == '\r'))
                end++;
            if (end == at || (k + 1 < NET_INPUTS ? *end != ',' : *end != '\n' && *end != '\0')) {
                fprintf(stderr, "line %ld must be %d numbers, with commas between them\n", number,
                        NET_INPUTS);
                return 1;
            }
            at = end + 1;
        }
        net_step(&state, in, out);
        for (k = 0; k < NET_OUTPUTS; k++)
            printf(k ? ",%.9g" : "%.9g", (double)out[k]);
        putchar('\n');
        fflush(stdout);
    }
    return 0;
}
"""
