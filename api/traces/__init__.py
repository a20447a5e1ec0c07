"""Traces: looked at, taken out and brought in."""
