"""What docs/generate.py is made of: a module for each kind of page."""
