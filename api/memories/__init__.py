"""What was learned, and why."""
