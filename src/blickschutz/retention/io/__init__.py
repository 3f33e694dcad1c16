"""Files that end, and a clock that does not go back."""
