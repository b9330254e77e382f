"""The ledger's handlers, one by one."""
