"""The data folder on disk: its mark, its lock, its modes, its moves."""
