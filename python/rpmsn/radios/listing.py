# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn devices`: the radios that are connected, what keeps others from being used, and what to do without one."""

from collections.abc import Sequence

from . import findings
from .findings import Plugged, Radio

ADVICE = """No radio was found. {drivers}
  An RTL-SDR:            apt-get install soapysdr-module-rtlsdr, then plug it in again.
  A USRP:                apt-get install uhd-host, then uhd_images_downloader, then plug it in again.
  On another computer:   rtl_tcp -a 0.0.0.0 (or SoapySDRServer --bind) there, --device rtl_tcp=HOST:1234 here.
No radio at hand? scripts/demo makes a band of LTE, 5G NR and others, and shows what is seen in it."""


def print_devices(
    radios: Sequence[Radio], plugged: Sequence[Plugged], drivers: Sequence[str], missing: Sequence[str]
) -> int:
    """Print the radios; returns the exit status: 0 where one can be used, else 1.

    Args:
        radios: list of findings.Radio.
        plugged: list of findings.Plugged.
        drivers: names of SoapySDR's drivers.
        missing: sentences about programs that are missing.
    """
    width = max((len(radio.device) for radio in radios), default=0)
    for radio in radios:
        print(f"{radio.device:<{width}}  {radio.label}")
    for one in plugged:
        is_found = any(radio.device.startswith(one.kind.device) for radio in radios)
        obstacles = one.obstacles
        if not is_found and not obstacles:
            obstacles = [f"no driver has found it: apt-get install {one.kind.driver}; another program may be using it"]
        for obstacle in obstacles:
            print(f"{one.kind.name} in USB socket {one.place}: {obstacle}")
    for sentence in missing:
        print(sentence)
    if not radios and not plugged:
        there = f"SoapySDR has drivers for: {', '.join(drivers)}." if drivers else "SoapySDR has no drivers here."
        print(ADVICE.format(drivers=there))
    return 0 if radios else 1


def run() -> int:
    """Look for radios and print them; returns the exit status."""
    return print_devices(
        findings.find_radios(), findings.plugged_in(), findings.soapy_drivers(), findings.missing_tools()
    )
