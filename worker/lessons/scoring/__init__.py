"""Whether an answer says a value: one scorer for seeds, gate and benches."""

from worker.lessons.scoring.says import says, says_any

__all__ = ["says", "says_any"]
