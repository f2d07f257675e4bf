"""The reference systems: each ships the incident that happened and the build that fixed it."""
