"""Coordinators over a compacted internal topic: decide, append, replay; the same replay at load. Source: KIP-848."""
