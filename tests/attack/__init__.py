"""A thousand hostile inputs, made anew from a seed, and what must hold whatever they are: ``python -m attack``."""
