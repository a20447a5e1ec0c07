"""Dream: rehearsal of what must not move."""
