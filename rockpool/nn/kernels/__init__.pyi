# files: callbacks compiling euler euler_backward exp_syn ffi keeping lif lif_again lif_backward
# files: lif_backward_parts operations parts plan rate recurrence switch tallies threads
