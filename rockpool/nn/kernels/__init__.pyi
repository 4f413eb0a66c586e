# files: callbacks compiling euler euler_backward exp_syn ffi keeping lif lif_backward lif_backward_parts
# files: parts rate recurrence switch
