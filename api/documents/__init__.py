"""Documents to study."""
