"""A partition's log on disk, in Kafka's own formats. Reaches files only through the Disk that is lent.

`log_directory.LogDirectory` is one folder of log.dirs: it opens, deletes and sets aside logs, keeps the checkpoints,
and knows whether the disk still works. `partition_log.PartitionLog` is one log: `append_from_client` and `append_own`
write, `append_as_follower` takes batches as the leader wrote them, `read` gives whole stored batches as parts of files,
`offset_at_time` and `offset_of_max_timestamp` search, `advance_log_start`, `delete_old_segments`, `truncate_to` and
`truncate_fully` cut. Its high watermark is set by the replication layer.
"""
