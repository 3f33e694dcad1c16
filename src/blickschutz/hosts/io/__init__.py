"""Journal, broker, leases: where hosts meet disk and network."""
