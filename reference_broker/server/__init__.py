"""The only part of the broker that touches sockets, the clock and the operating system."""
