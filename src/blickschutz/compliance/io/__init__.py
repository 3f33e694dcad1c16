"""What is read from files and from the machine."""
