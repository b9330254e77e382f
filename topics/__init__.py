"""The topic catalogue: every topic with its key, partitions, retention and records; plan and apply."""
