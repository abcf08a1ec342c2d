"""Compaction: a log keeps the last record of each key, and tombstones and markers for as long as readers may need them.

`offset_map` is what is known of the keys, `plan` what of a log may be compacted, `filtering` what stays of a batch,
`transactions` which of them belong to aborted transactions, `round` the work on one log in slices, `swap` how what was
kept takes the place of what was there, also after a crash, and `cleaner` which log comes next.
Source: Kafka documentation, "Log Compaction"; KIP-58 (lag), KIP-354 (maximum lag), KIP-534 (delete horizons).
"""
