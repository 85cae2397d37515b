# SPDX-License-Identifier: GPL-3.0-or-later
"""Radios that gr-osmosdr opens, above all a server rtl_tcp on this or another computer."""

from rpmsn.errors import MissingLibraryError, RadioError
from rpmsn.radios.ranges import RTLSDR_REACH, check_in_ranges, check_rate
from rpmsn.radios.rtl_tcp import check_server

from .radio_retune import COMMAND, radio_retune


class OsmosdrRadio:
    """A device of gr-osmosdr; arguments as of `radio_source`, attributes as of `SoapyRadio`."""

    has_time = False
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
        if device.startswith("rtl_tcp"):
            check_server(device)
        self._source = self._open(",".join(part for part in (device, stream_arguments) if part))
        check_in_ranges(device, "sample rate", sample_rate, _range(self._source.get_sample_rates()), "Msps", 1e6)
        self.sample_rate = self._source.set_sample_rate(sample_rate)
        check_rate(device, sample_rate, self.sample_rate)
        if antenna:
            self.set_antenna(antenna)
        if bandwidth:
            self._source.set_bandwidth(bandwidth)
        self._tune(center_frequency)
        if gain is None:
            self._source.set_gain_mode(True)
        else:
            self._set_gain(gain)
        self._retune = radio_retune(self._tune, self._set_gain, self.sample_rate, center_frequency, keeps_time=False)
        self.blocks = [self._source, self._retune]
        self.command_port = self._retune, COMMAND

    def center_frequency(self) -> float:
        """Hz, as set."""
        return self._retune.center_frequency

    def gain_range(self) -> tuple[float, float]:
        """(lowest, highest) gain, dB."""
        return _range(self._source.get_gain_range())[0]

    def antennas(self) -> list[str]:
        """Names, as the driver has them."""
        return list(self._source.get_antennas())

    def antenna(self) -> str:
        """The one in use."""
        return self._source.get_antenna()

    def set_antenna(self, antenna: str) -> None:
        """Use another one of `antennas`."""
        self._source.set_antenna(antenna)

    def _open(self, arguments):
        try:
            import osmosdr
        except ImportError as error:
            raise MissingLibraryError(
                f"gr-osmosdr, which opens {self._device}, is not installed ({error}); install it: "
                "apt-get install gr-osmosdr"
            ) from error
        try:
            return osmosdr.source(args=f"numchan=1 {arguments}")
        except RuntimeError as error:
            reason = str(error).rstrip(".!")
            raise RadioError(
                f"{self._device} cannot be opened: {reason}. Is it plugged in, and used by no other "
                "program? `rpmsn devices` lists the radios."
            ) from error

    def _tune(self, frequency):
        # The client of rtl_tcp takes any number and the radio then stays where it was.
        check_in_ranges(
            self._device,
            "frequency",
            frequency,
            _range(self._source.get_freq_range()),
            "MHz",
            1e6,
            RTLSDR_REACH if "rtl" in self._device else 0.0,
        )
        self._source.set_center_freq(frequency)
        return frequency

    def _set_gain(self, gain):
        check_in_ranges(self._device, "gain", gain, [self.gain_range()], "dB", 1.0)
        self._source.set_gain_mode(False)
        self._source.set_gain(gain)


def _range(span):
    return [(span.start(), span.stop())]
