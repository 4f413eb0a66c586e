# backend: numpy
# files: aedat4 aedat4_writing arrays clocks columns dat es evt2 evt3
# files: hdf5 mat_structure neo_files neo_text nest nmnist percent rasters shd sonata text_table
