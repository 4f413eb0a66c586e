# files: callbacks compiling euler euler_backward exp_syn ffi keeping lif lif_backward
# files: lif_backward_parts parts rate recurrence switch
