"""The fewest insertions, deletions and substitutions between two sequences, by the plain recursion over a table."""


def edits(wanted, found):
    table = [[0] * (len(found) + 1) for _ in range(len(wanted) + 1)]
    for i in range(len(wanted) + 1):
        for j in range(len(found) + 1):
            if not i or not j:
                table[i][j] = i + j
                continue
            same = table[i - 1][j - 1] + (wanted[i - 1] != found[j - 1])
            table[i][j] = min(same, table[i - 1][j] + 1, table[i][j - 1] + 1)
    return table[-1][-1]
