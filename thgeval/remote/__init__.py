"""Places that are not folders of this machine: object stores, web servers, and whatever else fsspec knows.

    addresses    what is an address, and how it is shown without the keys that may be in it
    waiting      how long a place may be silent
    store        listing, fetching and writing
    cache        what was fetched, by its content, under a bound that several processes share
    mirror       a folder that looks like the place, whose files are there while they are needed
    delivery     a result file, and the states beside it, that belong elsewhere

Clips are fetched whole before they are decoded: a file that is read piece by piece from afar is slower, and nobody
could say what was scored. Needs the extra ``remote``.
"""
