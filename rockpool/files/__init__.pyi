# backend: numpy
# files: checks
from .network_file import NetworkFile as NetworkFile
from .network_file import load as load
from .network_file import read_header as read_header
from .network_file import save as save
from .tensors import FileFormatError as FileFormatError
