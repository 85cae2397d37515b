#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A radio with an antenna that is made up, behind the protocol of rtl_tcp. A process of its own; one client at a time.

    python rtl_tcp_server.py --band 1.8e9 1.81e9 30 --band 1.82e9 1.825e9 20
    python rtl_tcp_server.py --recording capture.sigmf-data --fast
    python rtl_tcp_server.py --recording scene.sigmf-data --shift

Prints lines of JSON: first the port, then every client and every command with the number of samples sent before it.
Faults come at a place in the stream (`--fault KIND SECONDS LENGTH`): `drop` leaves samples out, `stall` sends nothing
for a while, `garbage` sends noise of full scale, `disconnect` closes the connection; who connects again is served on.
"""

import argparse
import json
import select
import socket
import struct
import time
from pathlib import Path

import numpy as np

CHUNK = 16384
LOOP_SECONDS = 0.1
MOST_WAITING_S = 0.1
FULL_SCALE = 127.4
COMMANDS = {1: "frequency", 2: "rate", 3: "gain_mode", 4: "gain", 5: "correction"}
FAULTS = ("drop", "stall", "garbage", "disconnect")
GAIN_TENTHS_DB = (0, 100, 200, 300, 400, 496)


class Antenna:
    """What a receiver hears, as pairs of uint8.

    Args:
        bands: list of (lower Hz, upper Hz, dB over the noise).
        recording: uint8, shape (n, 2), or None; played at whatever rate.
        recorded_at: Hz; whoever tunes elsewhere hears the recording shifted. None: the same at every frequency.
    """

    def __init__(self, bands, recording=None, recorded_at=None):
        self.bands, self.recording, self.recorded_at = bands, recording, recorded_at
        self._heard = {}

    def listen(self, frequency, rate):
        """(samples to be repeated, with the first CHUNK of them again at the end: uint8, shape (n + CHUNK, 2); n)."""
        is_anywhere = self.recording is not None and self.recorded_at is None
        key = None if is_anywhere else (frequency, rate)
        if key not in self._heard:
            samples = self._samples(frequency, rate)
            self._heard[key] = np.concatenate([samples, np.resize(samples, (CHUNK, 2))]), len(samples)
        return self._heard[key]

    def _samples(self, frequency, rate):
        if self.recording is None:
            return to_bytes(self._noise_in_bands(frequency, rate))
        shift = 0.0 if self.recorded_at is None else self.recorded_at - frequency
        return self.recording if shift == 0 else to_bytes(shifted(to_complex(self.recording), shift / rate))

    def _noise_in_bands(self, frequency, rate):
        count = int(LOOP_SECONDS * rate)
        rng = np.random.default_rng(int(frequency) % 2**32)
        spectrum = rng.standard_normal((count, 2)).view(complex)[:, 0] / np.sqrt(2)
        places = frequency + np.fft.fftfreq(count, 1 / rate)
        for lower, upper, level_db in self.bands:
            spectrum[(places >= lower) & (places < upper)] *= np.sqrt(1 + 10 ** (level_db / 10))
        return np.fft.ifft(spectrum) * np.sqrt(count) * 5e-3


def to_bytes(samples):
    """Complex samples of full scale 1.0 as rtl_tcp sends them."""
    pairs = np.stack([samples.real, samples.imag], axis=1) * FULL_SCALE + FULL_SCALE
    return np.clip(np.round(pairs), 0, 255).astype(np.uint8)


def to_complex(pairs):
    """The opposite of `to_bytes`."""
    return ((pairs - np.float32(FULL_SCALE)) / np.float32(FULL_SCALE)).view(np.complex64)[:, 0]


def shifted(samples, fraction):
    """Samples moved up by a fraction of the rate; what leaves the span is gone, and what comes in is noise."""
    count = len(samples)
    spectrum = np.fft.fftshift(np.fft.fft(samples))
    parts = np.array_split(np.abs(spectrum) ** 2, 256)
    floor = np.quantile([part.mean() for part in parts], 0.1)
    heard = np.random.default_rng(1).standard_normal((count, 2)).view(complex)[:, 0] * np.sqrt(floor / 2)
    moved = int(np.clip(round(fraction * count), -count, count))
    heard[max(0, moved) : count + min(0, moved)] = spectrum[max(0, -moved) : count - max(0, moved)]
    return np.fft.ifft(np.fft.ifftshift(heard))


class Server:
    """Serves one client after the other."""

    def __init__(self, antenna, options):
        self.antenna, self.options = antenna, options
        self.frequency, self.rate = 100e6, 2.048e6
        self.sent = self.place = self.unsettled = 0
        self.faults = sorted((float(start), kind, float(length)) for kind, start, length in options.fault)
        self.rail = np.tile(np.array([[0, 255], [255, 0]], np.uint8), (CHUNK // 2, 1))

    def run(self):
        listener = socket.create_server((self.options.address, self.options.port))
        report(port=listener.getsockname()[1])
        while True:
            client, _ = listener.accept()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 17)
            report(client=True, sent=self.sent)
            try:
                with client:
                    self.serve(client)
            except (ConnectionError, TimeoutError):
                pass
            report(client=False, sent=self.sent)

    def serve(self, client):
        client.sendall(b"RTL0" + struct.pack(">II", 5, len(GAIN_TENTHS_DB)))
        self.started, self.sent_before = time.monotonic(), self.sent
        while True:
            self.take_commands(client)
            fault = self.next_fault()
            if fault == "disconnect":
                return
            client.sendall(self.next_chunk(fault))
            self.sent += CHUNK
            if not self.options.fast:
                self.keep_pace()

    def keep_pace(self):
        """Wait until it is time for the next samples; those that a slow client has missed are lost."""
        early = self.started + (self.sent - self.sent_before) / self.rate - time.monotonic()
        if early > 0:
            time.sleep(early)
        elif early < -MOST_WAITING_S:
            self.started -= early
            self.place += int(-early * self.rate)

    def take_commands(self, client):
        while select.select([client], [], [], 0)[0]:
            message = client.recv(5, socket.MSG_WAITALL)
            if len(message) < 5:
                raise ConnectionError("closed")
            number, value = struct.unpack(">BI", message)
            name = COMMANDS.get(number, str(number))
            report(command=name, value=value, sent=self.sent)
            if name == "frequency":
                self.unsettled = int(self.options.settle * self.rate)
                self.frequency = float(value)
            elif name == "rate":
                self.rate = float(value)
                self.started, self.sent_before = time.monotonic(), self.sent

    def next_fault(self):
        """The fault that is due, once for those that have no length in the stream; None while all is well."""
        if not self.faults or self.sent < self.faults[0][0] * self.rate:
            return None
        start, kind, length = self.faults[0]
        if kind != "garbage" or self.sent >= (start + length) * self.rate:
            self.faults.pop(0)
        if kind == "stall":
            time.sleep(length)
            self.started += length
        elif kind == "drop":
            self.place += int(length * self.rate)
        report(fault=kind, sent=self.sent)
        return kind

    def next_chunk(self, fault):
        """The next samples: those of the antenna, or full scale while the tuner has not settled."""
        if fault == "garbage" or self.unsettled > 0:
            self.unsettled -= CHUNK
            return self.rail
        heard, length = self.antenna.listen(self.frequency, self.rate)
        first = self.place % length
        self.place += CHUNK
        return heard[first : first + CHUNK]


def report(**fields):
    print(json.dumps(fields), flush=True)


def load(path):
    """(samples as uint8 pairs, centre frequency in Hz) of a SigMF recording of bytes."""
    raw = np.fromfile(Path(path).with_suffix(".sigmf-data"), np.uint8)
    meta = json.loads(Path(path).with_suffix(".sigmf-meta").read_text())
    pairs = (raw if meta["global"]["core:datatype"] == "cu8" else raw ^ 0x80).reshape(-1, 2)
    return pairs, meta["captures"][0].get("core:frequency")


def make_antenna(options):
    """What the command line asks for."""
    recording, frequency = load(options.recording) if options.recording else (None, None)
    return Antenna(options.band, recording, frequency if options.shift else None)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--band", type=float, nargs=3, action="append", default=[], metavar=("LOWER", "UPPER", "DB"))
    parser.add_argument("--recording", help="SigMF, cu8 or ci8: repeated, at the rate that the client sets")
    parser.add_argument(
        "--shift",
        action="store_true",
        help="the recording lies at its own frequency: who tunes elsewhere hears it shifted",
    )
    parser.add_argument("--fast", action="store_true", help="send as fast as the client takes it")
    parser.add_argument("--settle", type=float, default=0.0, help="seconds of full scale after a tune")
    parser.add_argument("--fault", nargs=3, action="append", default=[], metavar=("KIND", "SECONDS", "LENGTH"))
    options = parser.parse_args()
    if unknown := {kind for kind, *_ in options.fault} - set(FAULTS):
        parser.error(f"--fault {', '.join(unknown)}; choose from {', '.join(FAULTS)}")
    Server(make_antenna(options), options).run()


if __name__ == "__main__":
    main()
