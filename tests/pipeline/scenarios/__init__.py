"""Tests of the scenario files and their runner."""
