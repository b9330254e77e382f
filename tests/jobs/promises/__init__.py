"""The jobs that follow promises to pay (SEMANTICS 3)."""
