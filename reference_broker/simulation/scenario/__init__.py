"""A scenario: a cluster and its clients under faults, from one seed; first what must never happen, then progress."""
