"""Formats of the Bank Administration Institute: cash management statements (BAI2, BTRS) and lockbox files."""

from sources.bank.bai.bai2 import Bai2, bai2_with_lockbox
from sources.bank.bai.lockbox import Lockbox

__all__ = ["Bai2", "Lockbox", "bai2_with_lockbox"]
