"""Frozen values that cross a room's border. No SQL, no HTTP."""
