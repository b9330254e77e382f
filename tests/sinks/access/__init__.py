"""Tests of sinks.access."""
