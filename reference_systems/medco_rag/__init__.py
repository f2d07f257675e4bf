"""Case D.1: a doctor's copilot that invented medication, and the retrieval that cites or refuses."""
