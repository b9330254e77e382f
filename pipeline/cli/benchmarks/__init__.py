"""What the system costs, measured on its real parts: `arrears bench` (DESIGN §7).

Everything is measured in one run on one machine, so that the ratios hold on another. Nothing is asserted.
"""
