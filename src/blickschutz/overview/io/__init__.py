"""What reaches other machines."""
