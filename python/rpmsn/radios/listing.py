# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn devices`: the radios that are connected, what keeps others from being used, and what to do without one."""

from collections.abc import Sequence

from ..errors import MissingLibraryError
from . import findings, flowgraphs
from .findings import RTLSDR, UHD, Plugged, Radio, Tool

ADVICE = """No radio was found. {drivers}
  An RTL-SDR:            {rtlsdr}
  A USRP:                {usrp}
  On another computer:   rtl_tcp -a 0.0.0.0 (or SoapySDRServer --bind) there, --device rtl_tcp=HOST:1234 here.
No radio at hand? rpmsn synth --output demo makes a band of LTE, 5G NR and others; rpmsn watch shows it."""


def print_devices(
    radios: Sequence[Radio], plugged: Sequence[Plugged], drivers: Sequence[str], missing: Sequence[Tool]
) -> int:
    """Print the radios; returns the exit status: 0 where one can be used, else 1.

    Args:
        radios: list of findings.Radio.
        plugged: list of findings.Plugged.
        drivers: names of SoapySDR's drivers.
        missing: list of findings.Tool that are needed and not there.
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
    for tool in missing:
        print(f"{tool.name} is not installed, and is needed to look for radios: apt-get install {tool.package}")
    if not radios and not plugged:
        print(_advice(drivers, missing))
    return 0 if radios else 1


def _advice(drivers: Sequence[str], missing: Sequence[Tool]) -> str:
    """What to do without a radio; nothing is asked for that is there."""
    there = f"SoapySDR has drivers for: {', '.join(drivers)}." if drivers else "SoapySDR has no drivers here."
    has_driver = RTLSDR.device.partition("=")[2] in drivers
    rtlsdr = "plug it in; its driver is here." if has_driver else f"apt-get install {RTLSDR.driver}, then plug it in."
    usrp = "uhd_images_downloader, then plug it in."
    if UHD in missing:
        usrp = f"apt-get install {UHD.package}, then {usrp}"
    return ADVICE.format(drivers=there, rtlsdr=rtlsdr, usrp=usrp)


def run() -> int:
    """Look for radios and print them; returns the exit status."""
    status = print_devices(
        findings.find_radios(), findings.plugged_in(), findings.soapy_drivers(), findings.missing_tools()
    )
    try:
        flowgraphs.check_gnuradio()
    except MissingLibraryError as error:
        print(error)
    return status
