"""One run on the machines of a cluster: tasks of some clips each, states on storage that all share, small receipts.

    parts     what a task is, how a worker does it, and how its clips are taken up again
    on_ray    workers as actors of Ray

States lie where they lie in any run: a file a clip in the folder beside the result. So nothing that was measured is
lost when a worker, a machine or the driver goes down, and nothing is counted twice when two measure the same clip.
"""
