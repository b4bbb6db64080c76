"""The leaderboard: entries as reviewed text, checks that recompute them, rankings of what compares, a static site."""
