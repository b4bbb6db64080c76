"""Task sets: what is to be generated from what, and what a generator may see of it.

``items``      ``Item`` and ``TaskSet``
``files``      ``read_taskset``, ``write_taskset``: ``taskset.yaml`` and ``items.jsonl``
``settings``   ``SETTINGS``: what each one shows a generator and hides from it
"""
