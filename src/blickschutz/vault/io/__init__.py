"""Keys on disk, each readable by its owner alone (mode 0600)."""
