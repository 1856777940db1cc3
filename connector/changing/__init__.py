"""Changing Identity Center: what to do (planning), doing it (steps, assignments), seeing that it holds (settling)."""
