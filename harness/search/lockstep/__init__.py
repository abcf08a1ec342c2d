"""Plays random sequences of requests on one target or, in lockstep, on two; compares the answers and shrinks what
differs."""
