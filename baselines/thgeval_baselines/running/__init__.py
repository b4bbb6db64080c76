"""Running generators over task sets: one folder, one process and one record for each item.

plan       which items each system makes, and why it can't make others
staging    a folder that holds copies of what a setting shows, and nothing else
process    a process with a bound on time, memory and disk, ended with all that it started
worker     what runs there for a generator in Python
collect    from what came out to ``out.mp4``; every change is recorded
looking    does it decode, is there a face, is it long enough, a still picture, a copy, an overlay
record     ``run.json`` and the cost card
runner     all of it, in parallel under a bound of memory, resumed where it stopped
"""
