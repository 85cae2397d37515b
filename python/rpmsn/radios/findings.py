# SPDX-License-Identifier: GPL-3.0-or-later
"""Radios that are plugged in or on the network, and what keeps them from being used."""
import shutil
import subprocess

FIND_SECONDS = 20


def soapy_drivers():
    """Names of the SoapySDR drivers, from its own tool; empty where that is not installed."""
    text = _output("SoapySDRUtil", "--info")
    listed = [line.split("...")[-1] for line in text.splitlines() if line.startswith("Available factories")]
    return [name.strip() for name in ",".join(listed).split(",") if name.strip() not in ("", "No factories found!")]


def _output(program, *arguments):
    """What a program prints; "" where it is not installed, or does not end."""
    path = shutil.which(program)
    if path is None:
        return ""
    try:
        return subprocess.run([path, *arguments], capture_output=True, text=True, timeout=FIND_SECONDS).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
