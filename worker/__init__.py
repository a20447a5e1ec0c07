"""Asleep: Celery, the stages of a sleep cycle, and the trainer. Imports no fastapi."""
