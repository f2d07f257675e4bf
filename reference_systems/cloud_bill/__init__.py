"""Case D.7: a weekend that cost $15,000 on a cluster for training."""
