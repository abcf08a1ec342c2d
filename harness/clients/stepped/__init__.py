"""The project's own client as coroutines, which wait only through an executor: with threads, or in virtual time."""
