"""A history in columns, as the checkers use it: built in one pass, about a hundred bytes per record."""
