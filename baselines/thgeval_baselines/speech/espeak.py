"""One text through espeak-ng, in a process of its own: JSON in, JSON and samples out.

This file is run, never imported: ``python espeak.py`` reads ``{"text", "voices", "words_per_minute", "as_phonemes"}``
from standard input and writes one line of JSON (``voice``, ``version``, ``rate_hz``, ``events``: name and seconds) and
the samples (16-bit, mono) after it. ``voice`` is null where no voice of the list is known. espeak-ng is
GPL-3.0-or-later; it comes from the package ``espeakng-loader``. What it says first in a process is the same every time,
what it says later is not: hence one text a process. Voices that breathe (``+f2``, ``+f3``, ``+f5``, ``+whisper``) draw
noise from the time of day and are never the same.
"""

import ctypes
import json
import sys
from typing import Any

SYNCHRONOUS, EVENTS, IPA, RATE, UTF8, PHONEME_INPUT, PHONEME = 2, 1, 2, 1, 1, 0x100, 7


class Event(ctypes.Structure):
    """``espeak_EVENT`` of ``speak_lib.h``."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("name", ctypes.c_char * 8),
    )


def said(asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """What is written: the line's content and the samples."""
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    library.espeak_Info.restype = ctypes.c_char_p
    rate_hz = library.espeak_Initialize(SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), EVENTS | IPA)
    answer = {"version": library.espeak_Info(None).decode(), "rate_hz": rate_hz, "voice": None, "events": []}
    known = (voice for voice in asked["voices"] if library.espeak_SetVoiceByName(voice.encode()) == 0)
    answer["voice"] = next(known, None)
    if answer["voice"] is None:
        return answer, b""
    blocks: list[bytes] = []

    def receive(samples: Any, count: int, events: Any) -> int:
        if samples:
            blocks.append(ctypes.string_at(samples, 2 * count))
        index = 0
        while events[index].type:
            if events[index].type == PHONEME:
                name = bytes(events[index].name).split(b"\0")[0].decode(errors="ignore")
                answer["events"].append((name, events[index].sample / rate_hz))
            index += 1
        return 0

    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(Event))
    callback = kind(receive)  # held by this name, or it would be gone before the library calls it
    library.espeak_SetSynthCallback(callback)
    library.espeak_SetParameter(RATE, asked["words_per_minute"], 0)
    encoded = asked["text"].encode()
    flags = UTF8 | (PHONEME_INPUT if asked["as_phonemes"] else 0)
    library.espeak_Synth(encoded, ctypes.c_size_t(len(encoded) + 1), 0, 0, 0, flags, None, None)
    return answer, b"".join(blocks)


if __name__ == "__main__":
    line, sound = said(json.load(sys.stdin))
    sys.stdout.buffer.write(json.dumps(line).encode() + b"\n" + sound)
