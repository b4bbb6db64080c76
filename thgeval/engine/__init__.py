"""One run, from two folders to a result: plan, decode once, measure, score, merge."""
