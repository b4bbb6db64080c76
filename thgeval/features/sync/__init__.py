"""Speech on the clock of the picture, and whether lips go with it."""
