"""Case D.6: a feature store that data scientists use by themselves (see README.md)."""
