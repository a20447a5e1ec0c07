"""Awake: the HTTP side. Imports no torch."""
