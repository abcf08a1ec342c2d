"""A disk of the harness for a node's log folder: a file system (FUSE) in a process of its own.

It keeps what was flushed apart from what was only written, and, told to lose its power, loses the latter. It also
fails, fills up and slows down when told to. What it promises of flushes is in `stored.py`.
"""
