"""Sheets that an auditor recognises, filled from a report: what is not in the evidence stays open."""
