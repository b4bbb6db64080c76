"""Which boxes the two published trackers put together, one face and one frame at a time."""


def shared(a, b):
    """Intersection over union of (left, top, right, bottom)."""
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    both = max(wide, 0) * max(high, 0)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def tracks(frames, *, min_track, first_only):
    """Detections of each track as [(frame, box), ...], of tracks with more than ``min_track`` of them.

    ``first_only``: a frame whose first face that is left doesn't go on with the track has none for it (MoChaBench);
    otherwise every face that is left is tried (syncnet_python).
    """
    left = [list(boxes) for boxes in frames]
    found = []
    while any(left):
        track = []
        for index, boxes in enumerate(left):
            tried = boxes[:1] if first_only else list(boxes)
            for box in tried:
                near = not track or (index - track[-1][0] <= 25 and shared(box, track[-1][1]) > 0.5)
                if near:
                    track.append((index, box))
                    boxes.remove(box)
                    break
        if len(track) > min_track:
            found.append(track)
    return found
