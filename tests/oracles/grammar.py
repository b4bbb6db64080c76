"""The best path through GRID's grammar, state by state: an independent twin of the lip reader's decoding."""

import math


def best_score(fits, places, silence, thirds=3):
    """Highest sum of (frames, classes) logarithms over all ways to say one word of each place, silence around."""
    words = []
    word = 0
    for place in places:
        words.append([])
        for _ in place:
            words[-1].append([word * thirds + third for third in range(thirds)])
            word += 1
    best = {("start",): 0.0}
    for row in fits:
        following = {}

        def reach(state, score, row=row, following=following):
            kind = silence if state[0] in ("before", "after") else words[state[1]][state[2]][state[3]]
            following[state] = max(following.get(state, -math.inf), score + row[kind])

        for state, score in best.items():
            if state[0] in ("start", "before"):
                reach(("before",), score)
                for option in range(len(words[0])):
                    reach(("in", 0, option, 0), score)
            elif state[0] == "after":
                reach(state, score)
            else:
                _, place, option, third = state
                reach(state, score)
                if third + 1 < thirds:
                    reach(("in", place, option, third + 1), score)
                elif place + 1 < len(words):
                    for other in range(len(words[place + 1])):
                        reach(("in", place + 1, other, 0), score)
                else:
                    reach(("after",), score)
        best = following
    last = len(words) - 1
    ends = [s for s in best if s == ("after",) or (s[0] == "in" and s[1] == last and s[3] == thirds - 1)]
    return max((best[s] for s in ends), default=-math.inf)


def score_of(fits, places, silence, said, thirds=3):
    """The same where the words are given."""
    narrowed = []
    columns = []
    word = 0
    for place, wanted in zip(places, said, strict=True):
        for option in place:
            if option == wanted:
                narrowed.append((option,))
                columns += [word * thirds + third for third in range(thirds)]
            word += 1
    rows = [[row[column] for column in columns] + [row[silence]] for row in fits]
    return best_score(rows, narrowed, len(columns), thirds)
