"""Twenty cameras inspect boards at the edge and send results, not pictures (case D.10)."""
