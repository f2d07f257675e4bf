"""Case D.2: 500 trucks, a shadow model, and the left turns that its training data lacked."""
