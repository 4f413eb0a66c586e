# files: callbacks compiling euler euler_backward exp_syn ffi ffi_frames ffi_threads keeping lif
# files: lif_again lif_backward lif_backward_parts operations parts plan rate recurrence switch
# files: tallies threads
