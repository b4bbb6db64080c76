"""Cuts without encoding: packets copied from one file to another, as cutters do."""

import av
import numpy as np


def encode(path, frames, codec="libx264", fps=25, **options):
    """Frames into a file, with the encoder's own options."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps, options=options)
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def key_packets(path):
    """Which packets of a file are key frames."""
    with av.open(str(path)) as container:
        return [i for i, packet in enumerate(container.demux(container.streams.video[0])) if packet.is_keyframe]


def copied(source, path, first, last=None):
    """The packets of a file from one place on, without encoding."""
    with av.open(str(source)) as given, av.open(str(path), "w") as made:
        track = given.streams.video[0]
        stream = made.add_stream_from_template(track)
        packets = [packet for packet in given.demux(track) if packet.size][first:last]
        start = min(packet.dts for packet in packets)
        for packet in packets:
            packet.pts, packet.dts, packet.stream = packet.pts - start, packet.dts - start, stream
            made.mux(packet)
    return path


def strict_errors(path):
    """How many packets a decoder refuses that is told to make an error of everything."""
    errors = 0
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.options = {"err_detect": "explode"}
        for packet in container.demux(stream):
            try:
                packet.decode()
            except av.error.InvalidDataError:
                errors += 1
    return errors


def indices(found, whole):
    """Where the frames found stand in the whole; -1 for what isn't there."""
    places = {np.ascontiguousarray(frame).tobytes(): index for index, frame in reversed(list(enumerate(whole)))}
    return [places.get(np.ascontiguousarray(frame).tobytes(), -1) for frame in found]
