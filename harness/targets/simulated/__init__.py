"""The target `simulated`: whole reference nodes in this process, in one thread, on virtual time."""
