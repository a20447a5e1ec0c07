"""Erasing what was said or studied, with what was learned from it."""
