# files: callbacks compiling exp_syn ffi keeping lif lif_backward lif_backward_parts
# files: operations parts plan rate recurrence switch threads
