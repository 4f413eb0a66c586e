"""The operations of a streaming plan, as numbers, and where each has its operands.

A plan is a table of whole numbers, a row for each operation, and two rows of floats: the *numbers*
(weights and parameters, which stay) and the *memory* of a stream (input, states, outputs, and room
to compute in). An entry of the table is where something begins in one of the two, or -1 where it is
absent. Row 0 says where the input and the output of the whole are, as `SOURCE` and `TARGET`.

Plain Python: whoever makes a plan or runs it without numba reads this file too.
"""

__all__ = [
    "ACTIVATIONS",
    "ADD",
    "CONNECT",
    "EULER",
    "EXP_SYN",
    "FUNCTION",
    "FUNCTIONS",
    "LIF",
    "PRODUCT",
    "RATE",
    "WHOLE",
]

# Kinds of operations
WHOLE = 0  # row 0
PRODUCT = 1  # target = source @ weight + bias
LIF = 2  # target = spikes of neurons that get the source
EXP_SYN = 3  # target = (target + source) * beta
RATE = 4  # target = activity of neurons that get the source
FUNCTION = 5  # target = f(source), number by number
ADD = 6  # target = source + other
EULER = 7  # target = spikes, or membrane, of neurons of NIR that get the source
CONNECT = 8  # target = sums over single connections from the source, + bias

# For connections: ALPHA has where those of each input begin, as numbers among them, BETA their
# outputs, WEIGHT their weights, and LIMIT what sums are divided by

# For neurons of NIR: ALPHA has what is left of the membrane, the gain and the leak, one after the
# other; BETA what is left of the current, and its gain; THRESHOLD thresholds and resets; BIAS the
# rules of `models.euler`; in the memory, IAHP the spikes, OTHER and TOTAL room for 1 and 3 rows

# Columns of the table: of all kinds
KIND, SOURCE, TARGET, N_IN, N_OUT, OPTION = range(6)
# ... in the numbers
WEIGHT, BIAS, ALPHA, BETA, THRESHOLD, LIMIT, GAMMA, W_AHP = range(6, 14)
# ... and in the memory; OTHER is the second term of a sum
VMEM, ISYN, IAHP, OTHER, ARRIVING, TOTAL = range(14, 20)
COLUMNS = 20

# What an `OPTION` says: the activation function of a rate neuron, and functions by themselves
ACTIVATIONS = ("relu", "tanh", "sigmoid")
FUNCTIONS = ("absolute", "exp", "floor", "negative", "relu", "sqrt", "square", "tanh")
