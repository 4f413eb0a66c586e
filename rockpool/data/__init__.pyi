# backend: numpy
from .digits import load_digits as load_digits
