"""Adapters: whatever an ERP, a bank, a gateway or a user interface emits becomes events."""
