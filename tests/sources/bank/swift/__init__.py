"""SWIFT statements."""
