"""Polled tables: what is read, what is read again, and what a restart finds."""
