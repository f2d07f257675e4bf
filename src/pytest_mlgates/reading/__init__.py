"""Files that people hand over, read strictly: every value with its place."""
