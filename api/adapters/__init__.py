"""Versions and rollback."""
