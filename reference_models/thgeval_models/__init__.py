"""Reference networks for thgeval: plain PyTorch modules that take the published weight files as they are.

Importing this package imports neither torch nor anything of thgeval; import the module of the network you need.

    thgeval_models.manifest      which weight files exist, where they come from, what they may be used for
    thgeval_models.hashing       is this file the published one?
    thgeval_models.loading       tensors out of a weight file, without running anything that is in it
    thgeval_models.<network>     one network per module
"""
