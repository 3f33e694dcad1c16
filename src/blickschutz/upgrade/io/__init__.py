"""What reaches files, processes and the service manager."""
