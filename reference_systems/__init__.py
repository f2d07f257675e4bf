"""Twelve systems that failed in production, each in two builds: the incident and the fix."""
