"""The leaderboard: nothing of it is built yet; this package holds its name."""
