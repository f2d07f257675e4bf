"""Data sets that are too large for one process: partitions, an engine, findings that are kept."""
