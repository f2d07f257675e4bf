"""Trained weights, kept by the digest of all that made them, so that a run need not train.

Weights are looked for among those that the repository ships (:mod:`.shipped`), then in the cache
folder, and trained where neither has them. What is found was made by the same recipe, to the last
input and line of code, or it is not found.
"""

from reference_systems.weights.keep import cache_folder, cached, digest_of_state, key_of, made

__all__ = ["cache_folder", "cached", "digest_of_state", "key_of", "made"]
