"""The static site: plain files that open from a disk, a stick or any host, with no server and no third party."""
