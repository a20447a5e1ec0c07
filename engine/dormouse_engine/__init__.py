"""What Dormouse adds to vLLM, inside the engine's process."""
