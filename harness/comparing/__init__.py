"""Compares the answers of targets: exchanges, normal form, differences, recorded answers, account of a run."""
