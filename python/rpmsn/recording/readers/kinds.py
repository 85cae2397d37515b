# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are something else than samples: by their first bytes, what each is, and how to go on."""

import re
import string
from collections.abc import Iterator

HEAD_BYTES = 8192
"""As many bytes are looked at."""
LOAD = "read it where it came from, and write the samples as complex64 by numpy's tofile() (--format cf32)"
MAGIC = (
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself", "fetch it: git lfs pull"),
    (b"MATLAB 7.3 MAT-file", "a MAT file of Matlab 7.3 (HDF5)", f"{LOAD}; h5py reads it"),
    (b"MATLAB 5.0 MAT-file", "a MAT file of Matlab", f"{LOAD}; scipy.io.loadmat reads it"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", f"{LOAD}; h5py reads it. Of Digital RF, name the channel's folder"),
    (b"CDF\x01", "a NetCDF file", LOAD),
    (b"CDF\x02", "a NetCDF file", LOAD),
    (b"%PDF-", "a PDF document", "name the recording instead"),
    (b"\x89PNG\r\n\x1a\n", "a PNG picture", "name the recording instead"),
    (b"\xff\xd8\xff\xe0", "a JPEG picture", "name the recording instead"),
    (b"GIF8", "a GIF picture", "name the recording instead"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first: 7z x FILE"),
    (b"Rar!\x1a\x07", "a RAR archive", "unpack it first: unrar x FILE"),
    (b"\x04\x22\x4d\x18", "compressed by lz4", "unpack it first: lz4 -d FILE"),
    (b"LZIP", "compressed by lzip", "unpack it first: lzip -dk FILE"),
    (b"fLaC", "a FLAC file", "convert it: flac -d FILE, or ffmpeg -i FILE OUT.wav"),
    (b"OggS", "an Ogg file (compressed sound)", "compression has changed the samples; record without it"),
    (b"ID3", "an MP3 file (compressed sound)", "compression has changed the samples; record without it"),
    (b"FORM", "an AIFF file", "convert it: sox FILE OUT.wav"),
    (b"SQLite format 3", "a database of SQLite", "name the recording instead"),
    (b"\xd4\xc3\xb2\xa1", "a capture of network packets (pcap)", "extract the samples first: tshark or scapy"),
    (b"\xa1\xb2\xc3\xd4", "a capture of network packets (pcap)", "extract the samples first: tshark or scapy"),
    (b"\x0a\x0d\x0d\x0a", "a capture of network packets (pcapng)", "extract the samples first: tshark or scapy"),
    (b"\x7fELF", "a program", "name the recording instead"),
    (b"\x80\x04\x95", "a pickle of Python", LOAD),
    (b"VRLP", "VITA-49 in VRL frames", f"there is no library for it here: {LOAD}"),
    (b"<?xml", "an XML document", "name the file with the samples that it describes"),
    (b"{\\rtf", "a text document", "name the recording instead"),
)  # fmt: skip
PAGE = re.compile(rb"\s*(<!doctype\s+html|<html|<head|<script)", re.IGNORECASE)
PRINTABLE = frozenset(string.printable.encode()) - frozenset(b"\x0b\x0c")
NUMBERS = re.compile(rb"[-+\d.,;\s()eEijnaNINF\[\]|]+")
PACKET_TYPES = 8
LEAST_PACKETS = 3
"""So many packets of VITA-49 have to follow others of their stream, with the next number, for a file to be one.
Samples of a small amplitude look like headers of short packets, each of another stream."""


def unreadable(head: bytes) -> tuple[str, str] | None:
    """(what a file is, what to do) of one that holds no samples to read; None where it may hold some.

    Args:
        head: its first `HEAD_BYTES`.
    """
    for begin, what, cure in MAGIC:
        if head.startswith(begin):
            return what, cure
    if PAGE.match(head):
        return "a web page", "a download has failed, or asks for a login: open the address in a browser"
    if _is_text(head):
        if NUMBERS.fullmatch(head[:512]):
            return "numbers as text (CSV)", (
                "convert it: python3 -c \"import numpy as n; n.loadtxt('FILE', delimiter=',').astype('f4')"
                ".tofile('OUT.cf32')\" where a line is I,Q"
            )
        return "text", "name the file with the samples"
    if _is_vita49(head):
        return "a stream of VITA-49 packets", f"there is no library for it here: {LOAD}"
    return None


def _is_text(head: bytes) -> bool:
    """64 bytes or more of nothing but ASCII text, with some variety."""
    return len(head) >= 64 and len(set(head)) > 3 and PRINTABLE.issuperset(head)


def _is_vita49(head: bytes) -> bool:
    """Whether headers of VITA 49.0 follow each other at the distances that they give, with a count of packets that
    goes up by one for each stream (ANSI/VITA 49.0, 6.1.1)."""
    counts: dict[tuple[int, int], int] = {}
    found = 0
    for kind, stream, count in _packets(head):
        last = counts.get((kind, stream))
        if kind >= PACKET_TYPES - 2 or last is not None and (last + 1) % 16 != count:
            return False
        counts[kind, stream] = count
        found += last is not None
    return found >= LEAST_PACKETS


def _packets(head: bytes) -> Iterator[tuple[int, int, int]]:
    """(type, stream, count) of packets that lie end to end."""
    position = 0
    while position + 8 <= len(head):
        word = int.from_bytes(head[position : position + 4], "big")
        stream = int.from_bytes(head[position + 4 : position + 8], "big")
        words = word & 0xFFFF
        if words < 2:
            yield PACKET_TYPES, 0, 0  # no packet is so short
            return
        yield word >> 28, stream, word >> 16 & 0xF
        position += 4 * words
