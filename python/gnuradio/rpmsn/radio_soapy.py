# SPDX-License-Identifier: GPL-3.0-or-later
"""Any radio that SoapySDR has a driver for, through gr-soapy."""

import time

from rpmsn.errors import MissingLibraryError, RadioError
from rpmsn.radios.findings import soapy_drivers
from rpmsn.radios.ranges import RTLSDR_REACH, check_in_ranges, check_rate

from .radio_retune import COMMAND, radio_retune

COUNTED_TIME = ("rtlsdr",)
"""Drivers whose time is a count of samples: no better than the host's clock, which says when the first one came."""
PACKAGES = {
    "rtlsdr": "soapysdr-module-rtlsdr",
    "remote": "soapysdr-module-remote",
    "hackrf": "soapysdr-module-hackrf",
    "airspy": "soapysdr-module-airspy",
    "lime": "soapysdr-module-lms7",
    "bladerf": "soapysdr-module-bladerf",
}
"""Driver -> package of Debian."""


class SoapyRadio:
    """A SoapySDR device; arguments as of `radio_source`.

    Attributes:
        blocks: to be connected in this order.
        command_port: (block, port) that takes commands.
        overflow_port: (block, port) that reports overflows; None where only tags do.
        has_time: whether it tags `rx_time`.
        sample_rate: Hz, as set.
    """

    overflow_port = None

    def __init__(
        self,
        device: str,
        sample_rate: float,
        center_frequency: float,
        gain: float | None,
        antenna: str,
        bandwidth: float,
        stream_arguments: str,
    ) -> None:
        self._device = device
        self._source = self._open(stream_arguments)
        check_in_ranges(device, "sample rate", sample_rate, self._ranges("get_sample_rate_range"), "Msps", 1e6)
        self._check_frequency(center_frequency)
        self._ask("sample rate", self._source.set_sample_rate, 0, sample_rate)
        if antenna:
            self.set_antenna(antenna)
        if bandwidth:
            self._ask("bandwidth", self._source.set_bandwidth, 0, bandwidth)
        self._ask("frequency", self._source.set_frequency, 0, center_frequency)
        if gain is None and self._source.has_gain_mode(0):
            self._source.set_gain_mode(0, True)
        elif gain is not None:
            self._set_gain(gain)
        self.sample_rate = self._source.get_sample_rate(0)
        check_rate(device, sample_rate, self.sample_rate)
        self.has_time = self._keep_time()
        self._retune = radio_retune(self._tune, self._set_gain, self.sample_rate, center_frequency, self.has_time)
        self.blocks = [self._source, self._retune]
        self.command_port = self._retune, COMMAND

    def center_frequency(self) -> float:
        """Hz, as set."""
        return self._retune.center_frequency

    def gain_range(self) -> tuple[float, float]:
        """(lowest, highest) gain, dB."""
        span = self._source.get_gain_range(0)
        return span.minimum(), span.maximum()

    def antennas(self) -> list[str]:
        """Names, as the driver has them."""
        return list(self._source.list_antennas(0))

    def antenna(self) -> str:
        """The one in use."""
        return self._source.get_antenna(0)

    def set_antenna(self, antenna: str) -> None:
        """Use another one of `antennas`."""
        self._ask("antenna", self._source.set_antenna, 0, antenna)

    def _open(self, stream_arguments):
        try:
            from gnuradio import soapy
        except ImportError as error:
            raise MissingLibraryError(
                f"gr-soapy, which opens {self._device}, is not installed ({error}): apt-get install gnuradio"
            ) from error
        try:
            return soapy.source(self._device, "fc32", 1, "", stream_arguments, [""], [""])
        except (RuntimeError, ValueError) as error:
            reason = str(error).rstrip(".!")
            raise RadioError(f"{self._device} cannot be opened: {reason}. {self._next_step()}") from error

    def _next_step(self):
        """What to do when a device is not there."""
        driver = dict(part.split("=", 1) for part in self._device.split(",") if "=" in part).get("driver")
        there = soapy_drivers()
        if driver is None:
            return "Name the driver, as driver=rtlsdr; `rpmsn devices` lists the radios."
        if there and driver not in there:
            step = (
                f"apt-get install {PACKAGES[driver]}"
                if driver in PACKAGES
                else "apt-cache search soapysdr-module lists those of Debian, or install what the radio's maker offers"
            )
            return f"SoapySDR has no driver {driver} here, only {', '.join(there)}: {step}."
        if driver == "remote":
            return (
                "Start the server where the radio is (SoapySDRServer --bind); see that no firewall is between, and "
                "that the radio is plugged in there."
            )
        return "Is it plugged in, and used by no other program? `rpmsn devices` shows what is missing."

    def _ranges(self, getter):
        return [(span.minimum(), span.maximum()) for span in getattr(self._source, getter)(0)]

    def _ask(self, what, setter, *arguments):
        """Set something; a refusal becomes a RadioError."""
        try:
            setter(*arguments)
        except (RuntimeError, ValueError) as error:
            raise RadioError(
                f"{self._device} refuses the {what} {arguments[-1]}: {error}. Choose what the radio "
                f'offers (SoapySDRUtil --probe="{self._device}" lists it).'
            ) from error

    def _keep_time(self):
        """Set the radio's clock to UTC; returns whether it has one."""
        if not self._source.has_hardware_time("") or any(f"driver={name}" in self._device for name in COUNTED_TIME):
            return False
        self._source.set_hardware_time(time.time_ns(), "")
        return True

    def _check_frequency(self, frequency):
        reach = RTLSDR_REACH if "driver=rtlsdr" in self._device else 0.0
        check_in_ranges(self._device, "frequency", frequency, self._ranges("get_frequency_range"), "MHz", 1e6, reach)

    def _tune(self, frequency):
        self._check_frequency(frequency)
        self._source.set_frequency(0, frequency)
        return self._source.get_frequency(0)

    def _set_gain(self, gain):
        check_in_ranges(self._device, "gain", gain, [self.gain_range()], "dB", 1.0)
        if self._source.has_gain_mode(0):
            self._source.set_gain_mode(0, False)
        self._source.set_gain(0, gain)
