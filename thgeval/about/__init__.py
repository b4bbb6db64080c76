"""What is said of metrics: families, docstrings taken apart, papers, comparable numbers, what a machine lacks for them.

Commands, reports, the documentation and the leaderboard read it; scoring doesn't.
"""
