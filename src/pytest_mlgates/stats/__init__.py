"""Pure, doctested mathematics; arrays in, numbers out."""
