"""One module for each database system."""
