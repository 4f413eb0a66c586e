# files: callbacks compiling exp_syn ffi keeping lif lif_backward lif_backward_parts
# files: parts rate recurrence switch threads
