"""Load that does not wait: requests leave when they are due, whatever became of those before."""
