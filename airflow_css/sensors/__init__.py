"""What waits for a state of the cluster or its snapshots, without changing anything."""
