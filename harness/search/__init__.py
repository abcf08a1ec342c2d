"""Random search for differences between targets."""
