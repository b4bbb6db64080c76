"""Where a face's points are, how it moves, blinks, turns and expresses itself."""
