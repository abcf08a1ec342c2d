"""The search for differences that nobody thought of."""
