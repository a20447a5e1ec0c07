"""Chat completions: to the engine and back, every exchange recorded."""
