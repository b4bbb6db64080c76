"""Blinks as a walk over frames: open, shut or unseen, one at a time."""


def blinks(openness, threshold, least):
    """(frames, whole) of each blink, from the (frames,) openness of an eye with None or NaN for frames not seen."""
    found = []
    frame = 0
    while frame < len(openness):
        if not shut(openness[frame], threshold):
            frame += 1
            continue
        last, count, ahead = frame, 1, frame + 1
        while ahead < len(openness) and (unseen(openness[ahead]) or shut(openness[ahead], threshold)):
            if shut(openness[ahead], threshold):
                last, count = ahead, count + 1
            ahead += 1
        before = openness[frame - 1] if frame else None
        after = openness[last + 1] if last + 1 < len(openness) else None
        if count >= least:
            found.append((last - frame + 1, not unseen(before) and not unseen(after)))
        frame = ahead
    return found


def unseen(value):
    return value is None or value != value


def shut(value, threshold):
    return not unseen(value) and value < threshold
