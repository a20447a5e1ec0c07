"""Triage: discard, session or long-term, each with a reason. Pure rules, but for stage.py."""
