# backend: numpy
from .digits import load_digit_spikes as load_digit_spikes
from .digits import load_digits as load_digits
