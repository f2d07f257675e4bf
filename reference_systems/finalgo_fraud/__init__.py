"""Case D.3: fraud detection at 50,000 transactions a second with a store that is 5 ms away."""
