"""Plays random sequences of requests on one target, or on two in lockstep, and shrinks those that fail or differ."""
