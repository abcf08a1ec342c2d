"""This broker's life among others: registration, heartbeats, and all that it asks the active controller for."""
