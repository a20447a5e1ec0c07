"""Whether an answer says a value: one scorer for seeds, gate and benches."""

from worker.lessons.scoring.says import mentions_any, says, says_any

__all__ = ["mentions_any", "says", "says_any"]
