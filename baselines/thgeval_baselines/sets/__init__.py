"""Sets of synthetic clips with their truth."""
