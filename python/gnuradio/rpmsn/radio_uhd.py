# SPDX-License-Identifier: GPL-3.0-or-later
"""A USRP, through gr-uhd."""

import time
from types import ModuleType

from rpmsn.errors import MissingLibraryError, RadioError
from rpmsn.radios.ranges import check_in_ranges, check_rate

from .radio_overflows import ASYNC_MESSAGES

WIRE_FORMAT = "otw_format"


class UhdRadio:
    """A USRP; arguments as of `radio_source`, attributes as of `SoapyRadio`.

    UHD sets the tags itself and takes commands itself, so its block stands alone.
    """

    has_time = True

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
        self._source = source = self._open(stream_arguments)
        source.set_samp_rate(sample_rate)
        self.sample_rate = source.get_samp_rate()
        check_rate(
            self._name,
            sample_rate,
            self.sample_rate,
            ", or name a clock that the rate divides (master_clock_rate=61.44e6 among the device arguments)",
        )
        check_in_ranges(self._name, "frequency", center_frequency, _range(source.get_freq_range(0)), "MHz", 1e6)
        source.set_center_freq(center_frequency, 0)
        if antenna:
            self.set_antenna(antenna)
        if bandwidth:
            source.set_bandwidth(bandwidth, 0)
        if gain is None:
            source.set_normalized_gain(0.5, 0)
        else:
            check_in_ranges(self._name, "gain", gain, [self.gain_range()], "dB", 1.0)
            source.set_gain(gain, 0)
        # The pulse of a GPS clock would be better; without one, UTC of the host, then the USRP's own clock.
        source.set_time_now(_uhd().time_spec(time.time()))
        self.blocks = [source]
        self.command_port = source, "command"
        self.overflow_port = source, ASYNC_MESSAGES

    @property
    def _name(self):
        return f"uhd:{self._device}" if self._device else "uhd"

    def center_frequency(self) -> float:
        """Hz, as set."""
        return self._source.get_center_freq(0)

    def gain_range(self) -> tuple[float, float]:
        """(lowest, highest) gain, dB."""
        return _range(self._source.get_gain_range(0))[0]

    def _open(self, stream_arguments):
        uhd = _uhd()
        given = dict(part.split("=", 1) for part in stream_arguments.split(",") if "=" in part)
        wire = given.pop(WIRE_FORMAT, "sc16")
        arguments = ",".join(f"{key}={value}" for key, value in given.items())
        try:
            return uhd.usrp_source(
                self._device, uhd.stream_args(cpu_format="fc32", otw_format=wire, args=arguments, channels=[0])
            )
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise RadioError(
                f"{self._name} cannot be opened: {reason}. `uhd_find_devices` lists USRPs (apt-get install "
                "uhd-host); FPGA images come with `uhd_images_downloader`, and a USB one needs the udev "
                "rule of UHD: `rpmsn devices` shows what is missing."
            ) from error

    def antennas(self) -> list[str]:
        """Names, as the driver has them."""
        return list(self._source.get_antennas(0))

    def antenna(self) -> str:
        """The one in use."""
        return self._source.get_antenna(0)

    def set_antenna(self, antenna: str) -> None:
        """Use another one of `antennas`."""
        known = self.antennas()
        if antenna not in known:
            raise RadioError(f"antenna is {antenna!r}, but {self._name} has {', '.join(known)}; choose one of these")
        self._source.set_antenna(antenna, 0)


def _uhd() -> ModuleType:
    try:
        from gnuradio import uhd
    except ImportError as error:
        raise MissingLibraryError(
            f"gr-uhd, which opens a USRP, is not installed ({error}); install it: apt-get install gnuradio uhd-host"
        ) from error
    return uhd


def _range(span):
    return [(span.start(), span.stop())]
