# SPDX-License-Identifier: GPL-3.0-or-later
"""Radios that are plugged in or on the network, and what keeps one from being used: `rpmsn devices`."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

FIND_SECONDS = 30
USB_DEVICES = Path("/sys/bus/usb/devices")
USB_NODES = Path("/dev/bus/usb")
KERNEL_DRIVER = "dvb_usb_rtl28xxu"
"""The kernel takes an RTL-SDR for a television receiver with this module, unless a blacklist forbids it."""


@dataclass(frozen=True)
class Kind:
    """A kind of radio with a USB plug.

    Attributes:
        name: as on the box.
        device: how it is opened.
        driver: Debian package with the driver.
        rules: Debian package whose udev rule lets users open it.
    """

    name: str
    device: str
    driver: str
    rules: str


RTLSDR = Kind("RTL-SDR", "driver=rtlsdr", "soapysdr-module-rtlsdr", "librtlsdr0")
USRP = Kind("USRP (USB)", "uhd", "uhd-host", "uhd-host")
HACKRF = Kind("HackRF", "driver=hackrf", "soapysdr-module-hackrf", "libhackrf0")
AIRSPY = Kind("Airspy", "driver=airspy", "soapysdr-module-airspy", "libairspy0")
LIMESDR = Kind("LimeSDR", "driver=lime", "soapysdr-module-lms7", "limesuite-udev")
BLADERF = Kind("bladeRF", "driver=bladerf", "soapysdr-module-bladerf", "libbladerf-udev")
USB_KINDS = {
    "0bda:2832": RTLSDR,
    "0bda:2838": RTLSDR,
    "2500:0020": USRP,
    "2500:0021": USRP,
    "2500:0022": USRP,
    "1d50:6089": HACKRF,
    "1d50:60a1": AIRSPY,
    "1d50:6108": LIMESDR,
    "0403:601f": LIMESDR,
    "2cf0:5246": BLADERF,
    "2cf0:5250": BLADERF,
}
"""USB vendor and product -> Kind."""


@dataclass(frozen=True)
class Radio:
    """A radio that can be opened.

    Attributes:
        device: what to give as `--device`.
        label: what it is, in words.
    """

    device: str
    label: str


@dataclass(frozen=True)
class Plugged:
    """A radio in a USB socket.

    Attributes:
        kind: Kind.
        place: the socket, as the kernel names it.
        may_be_opened: whether its permissions let this user open it.
        taken_by: kernel driver that holds it, or "".
    """

    kind: Kind
    place: str
    may_be_opened: bool
    taken_by: str

    @property
    def obstacles(self) -> list[str]:
        """What keeps it from being used, each a sentence with what to do."""
        found = []
        if not self.may_be_opened:
            found.append(
                f"you may not open it: apt-get install {self.kind.rules} brings the udev rule (then unplug it "
                "and plug it in again), and your user has to be in the group plugdev: "
                "sudo usermod -aG plugdev $USER, then log in again"
            )
        if self.taken_by == KERNEL_DRIVER:
            found.append(
                f"the kernel uses it for television: sudo modprobe -r {KERNEL_DRIVER}, and to keep it so: "
                f"echo 'blacklist {KERNEL_DRIVER}' | sudo tee /etc/modprobe.d/rtlsdr.conf"
            )
        return found


@dataclass(frozen=True)
class Tool:
    """A program that looks for radios.

    Attributes:
        name: of the program.
        package: Debian package with it.
    """

    name: str
    package: str


SOAPY = Tool("SoapySDRUtil", "soapysdr-tools")
UHD = Tool("uhd_find_devices", "uhd-host")
SOAPY_FIND = """
import SoapySDR
for found in SoapySDR.Device.enumerate():
    print("Found device")
    for name, value in dict(found).items():
        print(f"  {name} = {value}")
"""
SOAPY_DRIVERS = """
import re, SoapySDR
names = [re.search(r"lib(\\w+)Support\\.", path) for path in SoapySDR.listModules()]
print("Available factories...", ", ".join(sorted({name[1].lower() for name in names if name})))
"""
"""SoapySDR's Python package, in a process of its own, prints what its tool prints."""


def find_radios() -> list[Radio]:
    """Everything that SoapySDR and UHD find: list of Radio. Takes some seconds, since networks are asked too."""
    return soapy_radios(_soapy("--find", SOAPY_FIND)) + uhd_radios(_output(UHD.name))


def soapy_radios(text: str) -> list[Radio]:
    """List of Radio, from what `SoapySDRUtil --find` prints.

    Example:
        >>> soapy_radios("Found device 0\\n  driver = rtlsdr\\n  label = Generic RTL2832U :: 77\\n  serial = 77\\n")
        [Radio(device='driver=rtlsdr,serial=77', label='Generic RTL2832U :: 77')]
    """
    return [
        Radio(_device(fields, "driver", "serial", "remote", "remote:driver"), fields.get("label", fields["driver"]))
        for fields in _groups(text, " = ")
        if fields.get("driver", "audio") not in ("audio", "null")
    ]


def uhd_radios(text: str) -> list[Radio]:
    """List of Radio, from what `uhd_find_devices` prints."""
    return [
        Radio("uhd:" + _device(fields, "type", "serial", "addr"), f"USRP {fields.get('product', fields['type'])}")
        for fields in _groups(text, ": ")
        if "type" in fields
    ]


def plugged_in(devices: Path = USB_DEVICES, nodes: Path = USB_NODES) -> list[Plugged]:
    """Radios that the kernel sees in USB sockets, usable or not: list of Plugged.

    Args:
        devices, nodes: folders of the kernel's list of devices, and of their device files.
    """
    found = []
    for folder in sorted(devices.glob("*")):
        facts = {name: _read(folder / name) for name in ("idVendor", "idProduct", "busnum", "devnum")}
        kind = USB_KINDS.get(f"{facts['idVendor']}:{facts['idProduct']}")
        if kind is None:
            continue
        node = nodes / facts["busnum"].zfill(3) / facts["devnum"].zfill(3)
        drivers = [link.resolve().name for link in folder.glob("*:*/driver")]
        taken = next((driver for driver in drivers if driver != "usbfs"), "")
        found.append(Plugged(kind, folder.name, os.access(node, os.R_OK | os.W_OK), taken))
    return found


def soapy_drivers() -> list[str]:
    """Names of the SoapySDR drivers; empty where neither its tool nor its Python package is installed."""
    text = _soapy("--info", SOAPY_DRIVERS)
    listed = [line.split("...")[-1] for line in text.splitlines() if line.startswith("Available factories")]
    return [name.strip() for name in ",".join(listed).split(",") if name.strip() not in ("", "No factories found!")]


def missing_tools() -> list[Tool]:
    """The programs that are not there, and without which radios of a kind are not found."""
    missing = [tool for tool in (SOAPY, UHD) if shutil.which(tool.name) is None]
    return [tool for tool in missing if tool is not SOAPY or not _has_soapy_package()]


def _has_soapy_package() -> bool:
    return find_spec("SoapySDR") is not None


def _soapy(option: str, code: str) -> str:
    """What SoapySDR's tool prints, or `code` with its Python package, whichever is there."""
    if shutil.which(SOAPY.name) is None and _has_soapy_package():
        return _output(sys.executable, "-c", code)
    return _output(SOAPY.name, option)


def _groups(text: str, between: str) -> list[dict[str, str]]:
    """Fields of each device in a printed list: dict of the lines that are indented."""
    groups: list[dict[str, str]] = []
    for line in text.splitlines():
        if not line.startswith(" "):
            groups.append({})
        elif groups and between.strip() in line:
            name, _, value = line.strip().partition(between.strip())
            groups[-1][name.strip()] = value.strip()
    return [group for group in groups if group]


def _device(fields: dict[str, str], *names: str) -> str:
    """The device arguments that distinguish one radio from others."""
    return ",".join(f"{name}={fields[name]}" for name in names if fields.get(name))


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def _output(program: str, *arguments: str) -> str:
    """What a program prints; "" where it is not installed, or does not end."""
    path = shutil.which(program)
    if path is None:
        return ""
    try:
        return subprocess.run(
            [path, *arguments], capture_output=True, text=True, timeout=FIND_SECONDS, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
