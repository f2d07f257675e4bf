"""A report: built, read back, replayed, compared, merged."""
