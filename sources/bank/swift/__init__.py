"""SWIFT customer statements: MT940 (booked, end of day) and MT942 (interim)."""

from sources.bank.swift.mt940 import Mt940
from sources.bank.swift.mt942 import Mt942

__all__ = ["Mt940", "Mt942"]
