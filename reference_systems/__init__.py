"""Small real systems, each in the build that failed and the build that fixed it."""
