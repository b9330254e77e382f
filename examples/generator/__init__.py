"""Writes the sample files: a company's year from customers to cash, its extracts, and the balances they must come to.

Everything derives from a seed. No module here imports anything of the pipeline, so that `expected.json` is a second
opinion and not an echo.
"""
