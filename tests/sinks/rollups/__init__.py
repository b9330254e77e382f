"""Rollups and closes against the as-of views and the entries themselves."""
