"""Compares the answers of two targets: exchanges, normal form, differences, recorded answers, and the account of a
run."""
