"""Lessons, as pure functions under all stages: who stands for one, and whether two say the same."""
