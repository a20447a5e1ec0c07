"""Gate: the candidate against the baseline, served by the engine as users would meet it."""
