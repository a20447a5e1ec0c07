"""The trainer: a subprocess that turns a job file into one LoRA adapter."""
