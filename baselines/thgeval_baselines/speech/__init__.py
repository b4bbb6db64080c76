"""Speech that ships with the baselines, its phonemes, and the mouth that says it."""
