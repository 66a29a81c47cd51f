"""Checkpoints: a snapshot before risky work, and the way back when the work fails."""
