"""How good a model is, how sure that is, where it fails, and whether another is better."""
