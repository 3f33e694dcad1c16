"""The command line: reads arguments, calls the composition root, shows progress and errors in plain words."""
