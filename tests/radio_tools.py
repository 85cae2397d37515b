# SPDX-License-Identifier: GPL-3.0-or-later
"""Radios without hardware for tests: an rtl_tcp server, a SoapySDR device, SoapyRemote's server, all on loopback."""

import json
import os
import queue
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from limits import HANG_S

TESTS = Path(__file__).resolve().parent
DEVICE_SOURCES = TESTS / "soapy_test_device"
REMOTE_MODULE = "libremoteSupport.so"
WAIT_SECONDS = HANG_S


SCENE_RATE, SCENE_CENTER = 2.4e6, 806e6


def write_lte_scene(folder, seed):
    """A recording of 0.4 s at `SCENE_RATE` with a lightly loaded LTE carrier of 1.4 MHz, 25 dB over the noise.

    Returns:
        path of its metadata; (lower, upper) edge of the carrier in Hz.
    """
    from rpmsn.synthesis.scene.scene import Emission, PropagationPath, Reception, Scene
    from rpmsn.synthesis.scene.writing import Order, write_scenes

    carrier = Emission("lte", 0.3e6, {"bandwidth_hz": 1.4e6, "cell_id": 17 + seed, "load": 0.3}, seed=seed)
    scene = Scene(SCENE_RATE, 0.4, seed, [carrier], Reception([PropagationPath(25.0)]))
    (meta,) = write_scenes([(f"lte-{seed}", scene)], Order(folder, SCENE_CENTER, "ci8"), quiet=True)
    (annotation,) = json.loads(meta.read_text())["annotations"]
    return meta, (annotation["core:freq_lower_edge"], annotation["core:freq_upper_edge"])


class RtlTcpServer:
    """A server rtl_tcp in a process of its own; a context manager. Arguments are those of rtl_tcp_server.py."""

    def __init__(self, *arguments):
        self._arguments = [str(argument) for argument in arguments]
        self.seen = []
        self._lines = queue.Queue()

    def __enter__(self):
        self._process = subprocess.Popen(
            [sys.executable, str(TESTS / "rtl_tcp_server.py"), *self._arguments], stdout=subprocess.PIPE, text=True
        )
        threading.Thread(target=self._read, daemon=True).start()
        self.device = f"rtl_tcp=127.0.0.1:{self.wait_for('port')['port']}"
        return self

    def __exit__(self, *_):
        self.kill()

    def kill(self):
        """End it at once, as when its computer loses power."""
        self._process.kill()
        self._process.wait()

    def wait_for(self, key, value=None):
        """The next line that has a key, and a value for it if given."""
        end = time.monotonic() + WAIT_SECONDS
        while True:
            line = self._lines.get(timeout=max(0.01, end - time.monotonic()))
            self.seen.append(line)
            if key in line and (value is None or line[key] == value):
                return line

    def commands(self):
        """{name: last value} of the commands that came."""
        while not self._lines.empty():
            self.seen.append(self._lines.get())
        return {line["command"]: line["value"] for line in self.seen if "command" in line}

    def _read(self):
        for line in self._process.stdout:
            self._lines.put(json.loads(line))


def build_test_device(folder):
    """Compile the SoapySDR device, and what its server needs; returns the environment in which only it is found."""
    if shutil.which("g++") is None or not any(Path("/usr/include").rglob("SoapySDR/Device.hpp")):
        pytest.skip("g++ or SoapySDR's headers are missing; scripts/bootstrap installs them (libsoapysdr-dev)")
    for compiler, source, target in (
        ("g++", "test_device.cpp", "libtestdevice.so"),
        ("gcc", "no_discovery.c", "no_discovery.so"),
    ):
        library = ["-lSoapySDR"] if compiler == "g++" else []
        place = folder if compiler == "g++" else folder.parent
        subprocess.run(
            [compiler, "-O2", "-shared", "-fPIC", "-o", str(place / target), str(DEVICE_SOURCES / source), *library],
            check=True,
        )
    for module in Path("/usr/lib").glob(f"*/SoapySDR/modules*/{REMOTE_MODULE}"):
        shutil.copy(module, folder)
    # A root without modules: neither real radios nor the network are asked.
    return {"SOAPY_SDR_PLUGIN_PATH": str(folder), "SOAPY_SDR_ROOT": str(folder / "none")}


class SoapyServer:
    """SoapyRemote's own server, with the test device; a context manager."""

    def __init__(self, environment):
        if shutil.which("SoapySDRServer") is None:
            pytest.skip("SoapySDRServer is missing; scripts/bootstrap installs it (soapyremote-server)")
        folder = Path(environment["SOAPY_SDR_PLUGIN_PATH"])
        if not (folder / REMOTE_MODULE).exists():
            pytest.skip("SoapyRemote is missing; scripts/bootstrap installs it (soapysdr-module-remote)")
        self._environment = {**os.environ, **environment, "LD_PRELOAD": str(folder.parent / "no_discovery.so")}

    def __enter__(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self._process = subprocess.Popen(
            ["SoapySDRServer", f"--bind=tcp://127.0.0.1:{port}"],
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.05)
        self.device = f"driver=remote,remote=tcp://127.0.0.1:{port},remote:driver=rpmsntest"
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
