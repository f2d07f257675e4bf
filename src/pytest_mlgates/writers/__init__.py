"""One output format a file: a ``Report`` in, one file out."""
