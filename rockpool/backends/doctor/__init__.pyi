from .report import Diagnosis as Diagnosis
from .report import diagnose as diagnose
from .examination import Finding as Finding
