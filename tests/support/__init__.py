"""What tests of several folders share: clips, weights, programs and bounds, made or looked up on the spot."""
