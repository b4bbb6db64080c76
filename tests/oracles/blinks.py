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


def falls(openness, drop, apart):
    """Frames of each blink between the tops of an eye's openness on either side of a fast fall; a list."""
    last = len(openness) - 1
    middle = (min(openness) + max(openness)) / 2
    falling = [openness[frame] - openness[frame + 1] for frame in range(last)]
    points = kept_apart([frame for frame in tops(falling) if falling[frame] >= drop], falling, apart)
    found = []
    for number, point in enumerate(points):
        following = points[number + 1] if number + 1 < len(points) else None
        begin = point
        if openness[point - 1] > openness[point]:
            begin = max((top for top in tops(openness[: point + 1]) if openness[top] >= middle), default=0)
        after = [point + top for top in tops(openness[point:following]) if openness[point + top] >= middle]
        if after or following is None:
            found.append((after[0] if after else last) - begin)
    return [frames for frames in found if frames > 0]


def tops(values):
    """Frames higher than both neighbours; of a level stretch the one in its middle. Ends are none."""
    found, frame = [], 1
    while frame < len(values) - 1:
        end = frame
        while end + 1 < len(values) and values[end + 1] == values[frame]:
            end += 1
        if end + 1 < len(values) and values[frame - 1] < values[frame] > values[end + 1]:
            found.append((frame + end) // 2)
        frame = end + 1
    return found


def kept_apart(points, heights, apart):
    """The highest points, none fewer than so many frames from a higher one."""
    kept = []
    for point in sorted(points, key=lambda frame: heights[frame], reverse=True):
        if all(abs(point - other) >= apart for other in kept):
            kept.append(point)
    return sorted(kept)
