# backend: torch
from .base_loss import _Loss as _Loss
from .mse_loss import MSELoss as MSELoss
from .peak_loss import BinaryPeakLoss as BinaryPeakLoss
from .peak_loss import PeakLoss as PeakLoss
