"""Kills between two durable steps: the list of steps, the scenarios, the checks, the soak."""
