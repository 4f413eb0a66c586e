from .doctor import Diagnosis as Diagnosis
from .doctor import diagnose as diagnose
from .examination import Finding as Finding
