"""Where the numbers of the alarm budget are kept."""
