"""Resolve: contradictions become explicit. In code, never by asking the model."""
