"""Measurements, never assertions: `python -m tests.bench` prints them as ratios of one run."""
