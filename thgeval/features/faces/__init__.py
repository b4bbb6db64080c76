"""Where faces are, whose they are, and their landmarks."""
