"""Whether a model gives back what it was trained on: canaries, references, attacks.

Make canaries, plant them into the training data, keep them (or the seed) for the gate::

    canaries = make_canaries(24, seed=7, repeats=(1, 4, 16, 64), held_out=12)
    train(plant(texts, canaries))
    canary_memorization(generate, canaries, log_likelihood)
"""

from pytest_mlgates.memorization.canaries import Canary, fixed_canary, make_canaries, plant
from pytest_mlgates.memorization.formats import FORMATS, Format, fixed

__all__ = ["FORMATS", "Canary", "Format", "fixed", "fixed_canary", "make_canaries", "plant"]
