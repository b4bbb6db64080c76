"""Protocols and data sets as data: what papers scored, on which clips, cut and sized how, and who says so.

    datasets/*.toml   how each data set names its clips, and what is known of it
    *.toml            protocols: rate, size, crop, excerpt, clips, what was reported under it, and the source of each
    lists/*.txt       lists of clips that may be passed on; others are known by their hash

Everything here only reads; what a protocol means for a run is ``thgeval.protocol``.
"""
