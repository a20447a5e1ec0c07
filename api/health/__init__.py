"""Alive, ready, and the engine's guard."""
