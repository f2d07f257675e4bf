"""A model registry: content-addressed, verified while reading (case D.12)."""
