"""How a latency is measured on a machine that others use too."""
