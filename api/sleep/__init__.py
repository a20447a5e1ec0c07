"""Sleep cycles: start, watch, cancel."""
