"""What `mlgates` does, a command a file."""
