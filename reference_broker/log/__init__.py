"""A partition's log on disk, in Kafka's own formats. Reaches files only through the Disk that is lent."""
