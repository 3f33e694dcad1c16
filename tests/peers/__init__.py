"""Real peers: what a test starts, it ends, by its process."""
