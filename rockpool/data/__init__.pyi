# backend: numpy
# files: binning formats libraries recognising
from .digits import load_digit_spikes as load_digit_spikes
from .digits import load_digits as load_digits
from .reading import read as read
from .reading import read_samples as read_samples
from .recording import Recording as Recording
from .recording import RecordingWarning as RecordingWarning
from .writing import write as write
