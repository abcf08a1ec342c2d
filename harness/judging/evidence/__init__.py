"""A history in columns: what the checkers look at, gathered in one pass, about a hundred bytes a record."""
