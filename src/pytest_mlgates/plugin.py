"""pytest hooks and fixtures; thin."""
