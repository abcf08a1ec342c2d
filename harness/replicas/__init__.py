"""What the replicas of a partition hold on their disks, and whether they hold the same."""
