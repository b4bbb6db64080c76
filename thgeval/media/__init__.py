"""Everything between a file and arrays: decoding, sound, writing, and what is wrong with a clip.

    probe, decode      a clip's header; its frames as batches of RGB
    speech             its sound, mono
    write_video        frames and sound into an H.264 file
    describe           everything about a clip that may surprise, as sentences
    fingerprint        a hash of its content

Whatever is wrong with a clip is an ``InputError`` with a sentence and a short reason.
"""

from thgeval.media.audio import Audio, decoded_speech
from thgeval.media.decoder import Decoder, decode, probe
from thgeval.media.encode import write_video
from thgeval.media.fingerprints import file_fingerprint, fingerprint
from thgeval.media.frames import AudioInfo, FrameBatch, MediaInfo, Pixels
from thgeval.media.resample import resize
from thgeval.media.validation import Description, describe

__all__ = [
    "Audio",
    "AudioInfo",
    "Decoder",
    "Description",
    "FrameBatch",
    "MediaInfo",
    "Pixels",
    "decode",
    "decoded_speech",
    "describe",
    "file_fingerprint",
    "fingerprint",
    "probe",
    "resize",
    "write_video",
]
