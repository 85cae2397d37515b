# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are something else than samples: by their first bytes, what each is, and how to go on."""

import codecs
import re
import string
import zlib
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
    (b"\x4d\x3c\xb2\xa1", "a capture of network packets (pcap)", "extract the samples first: tshark or scapy"),
    (b"\x0a\x0d\x0d\x0a", "a capture of network packets (pcapng)", "extract the samples first: tshark or scapy"),
    (b"\x7fELF", "a program", "name the recording instead"),
    (b"\xcf\xfa\xed\xfe", "a program", "name the recording instead"),
    (b"!<arch>\n", "a software package or library", "name the recording instead"),
    (b"PAR1", "a table in Parquet", LOAD),
    (b"TDSm", "a TDMS file of LabVIEW", LOAD),
    (b"\x1f\x9d\x90", "compressed by compress", "unpack it first: gzip -d FILE"),
    (b".snd\0\0\0", "an AU file", "convert it: sox FILE OUT.wav"),
    (b"caff\0\1", "a CAF file", "convert it: ffmpeg -i FILE OUT.wav"),
    (b"riff\x2e\x91\xcf\x11", "a Wave64 file", "convert it: ffmpeg -i FILE OUT.wav"),
    (b"VRLP", "VITA-49 in VRL frames", f"there is no library for it here: {LOAD}"),
    (b"<?xml", "an XML document", "name the file with the samples that it describes"),
    (b"{\\rtf", "a text document", "name the recording instead"),
)  # fmt: skip
PATTERNS = (
    (rb"\xff\xd8\xff(\xdb|[\xe0-\xef]..[ -~]{4})", "a JPEG picture", "name the recording instead"),
    (rb"(II\*\0|MM\0\*)(\x08\0\0\0|\0\0\0\x08)", "a TIFF picture", "name the recording instead"),
    (rb"BM.{4}\0{4}.{2}\0\0[\x0c\x28\x6c\x7c]\0{3}", "a BMP picture", "name the recording instead"),
    (rb"\0\0\0.ftyp[ -~]{4}", "a film or sound in MP4", "name the recording instead"),
    (rb"RIFX.{4}WAVE", "a WAV file with its bytes in the order of other processors", "convert it: sox FILE OUT.wav"),
    (rb"RIFF.{4}(?!WAVE)[ -~]{4}", "a RIFF file of another kind than WAV", "name the recording instead"),
    (rb"MZ\x90\0\x03\0{3}\x04\0{3}\xff\xff", "a program", "name the recording instead"),
    (rb"\x80(\x04\x95|\x05\x95|[\x02\x03](c[_a-z]{3}|[\]}(]q\0))", "a pickle of Python", LOAD),
    (rb"\x5d\0\0.{2}\xff{8}", "compressed by lzma", "unpack it first: unlzma FILE"),
    (rb"(.{512}){1,15}?\x89HDF\r\n\x1a\n", "an HDF5 file", f"{LOAD}; h5py reads it"),
)  # fmt: skip
"""Where what is fixed does not stand at the beginning, or is short. HDF5 has a block of the user's before it."""
PAGE = re.compile(rb"\s*(<!doctype\s+html|<html|<head|<script)", re.IGNORECASE)
PRINTABLE = frozenset(string.printable.encode()) - frozenset(b"\x0b\x0c")
NUMBERS = re.compile(rb"[-+\d.,;\s()eEijnaNINF\[\]|]+")
SHORTEST_TEXT = 64
PACKET_TYPES = 8
LEAST_PACKETS = 3
"""So many packets of VITA-49 have to follow others of their stream, with the next number, for a file to be one.
Samples of a small amplitude look like headers of short packets, each of another stream."""


def unreadable(head: bytes) -> tuple[str, str] | None:
    """(what a file is, what to do) of one that holds no samples to read; None where it may hold some.

    Args:
        head: its first `HEAD_BYTES`.
    """
    text = head.removeprefix(codecs.BOM_UTF8)
    for begin, what, cure in MAGIC:
        if text.startswith(begin):
            return what, cure
    for pattern, what, cure in PATTERNS:
        if re.match(pattern, head, re.DOTALL):
            return what, cure
    if PAGE.match(text):
        return "a web page", "a download has failed, or asks for a login: open the address in a browser"
    if _is_text(head):
        return _text(text[:512])
    if _is_sdrangel(head):
        return "a recording of SDRangel with a header of its own", (
            "take it off: tail -c +33 FILE > OUT.cs16 (OUT.cs32 where the samples have 24 bits)"
        )
    if _is_vita49(head):
        return "a stream of VITA-49 packets", f"there is no library for it here: {LOAD}"
    return None


def _text(head: bytes) -> tuple[str, str]:
    """As `unreadable`, of text."""
    if not NUMBERS.fullmatch(head):
        return "text", "name the file with the samples"
    lines = "'FILE'"
    delimiter = next((f", delimiter='{mark}'" for mark in ";," if mark.encode() in head), "")
    if ";" in delimiter and b"," in head:  # decimal commas
        lines = "(l.replace(',', '.') for l in open('FILE'))"
    return "numbers as text (CSV)", (
        f"convert it: python3 -c \"import numpy as n; n.loadtxt({lines}{delimiter}).astype('f4')"
        ".tofile('OUT.cf32')\" where a line is I,Q"
    )


def _is_text(head: bytes) -> bool:
    """64 bytes or more of nothing but text in ASCII, UTF-8 or (with its mark) UTF-16, with some variety."""
    if len(head) < SHORTEST_TEXT or len(set(head)) <= 3:
        return False
    if PRINTABLE.issuperset(head):
        return True
    encoding = "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)  # the last character may be cut
    except UnicodeDecodeError:
        return False
    return len(text) > 0 and all(char.isprintable() or char in "\t\r\n" for char in text)


def _is_sdrangel(head: bytes) -> bool:
    """Whether a file begins as a .sdriq of SDRangel: 28 bytes, and their sum (CRC-32)."""
    return len(head) >= 32 and any(head[:28]) and zlib.crc32(head[:28]) == int.from_bytes(head[28:32], "little")


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
