"""Signatures of the Java platform, read from a table that ships with the system."""
