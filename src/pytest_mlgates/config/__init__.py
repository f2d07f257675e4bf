"""Gate configs: YAML in, gates out."""
