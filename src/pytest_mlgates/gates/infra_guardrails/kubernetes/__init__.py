"""Kubernetes: which documents are resources, what their kinds hold, and how what they start ends."""
