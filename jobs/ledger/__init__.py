"""The ledger: open items, dated entries, applications and their reversals (SEMANTICS 1, 2.3-2.9, 4.1, 4.4, 4.5)."""
