"""Promises to pay: made, followed, judged (SEMANTICS 3)."""
