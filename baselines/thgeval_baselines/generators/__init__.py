"""Reference generators, one for each of the ten paradigms: small, seeded, and honest in name."""
