# SPDX-License-Identifier: GPL-3.0-or-later
"""Source block: any radio that GNU Radio can open, behind one set of parameters, tags and commands."""

import pmt
from gnuradio import gr

from rpmsn.errors import ParameterError
from rpmsn.messages import keys

from .radio_osmosdr import OsmosdrRadio
from .radio_overflows import ASYNC_MESSAGES, radio_overflows
from .radio_soapy import SoapyRadio
from .radio_uhd import UhdRadio

COMMAND = "command"


class radio_source(gr.hier_block2):
    """Samples of a radio, with the tags `rx_freq`, `rx_rate` and, where the radio keeps time, `rx_time` in UTC.

    What opens the radio follows from how `device` begins:

        `uhd`, `uhd:ARGS`, `driver=uhd,ARGS`    gr-uhd: a USRP
        `rtl_tcp=HOST:PORT`, `osmosdr:ARGS`     gr-osmosdr
        anything else, as `driver=rtlsdr`       SoapySDR, through gr-soapy

    Ports:
        out: complex samples of full scale 1.0.
        command (in): a dict; `freq` (double, Hz) tunes, `gain` (double, dB) sets the gain; as a waterfall's port `freq`
            sends it. A USRP takes all of UHD's keys, `time` among them.

    Args:
        device: see above.
        sample_rate: Hz.
        center_frequency: Hz.
        gain: dB; None for the radio's own control, or the driver's default where it has none.
        antenna: name; "" for the driver's default.
        bandwidth: of the analogue filter, Hz; 0 for the driver's choice.
        stream_arguments: of the driver's stream, as `otw_format=sc8` (UHD) or `remote:format=CS8` (SoapyRemote).

    Raises:
        rpmsn.errors.ParameterError: `device` is empty.
        rpmsn.errors.MissingLibraryError: GNU Radio has no driver for it here; the message names the package.
        rpmsn.errors.RadioError: no such device, or it refuses rate, frequency or antenna.

    Example:
        source = rpmsn.radio_source("driver=rtlsdr", 2.4e6, 806e6, gain=30)
        tb.connect(source, sink)
        tb.msg_connect((overlay, "freq"), (source, "command"))
    """

    def __init__(
        self,
        device: str,
        sample_rate: float,
        center_frequency: float,
        gain: float | None = None,
        antenna: str = "",
        bandwidth: float = 0.0,
        stream_arguments: str = "",
    ) -> None:
        gr.hier_block2.__init__(
            self, "radio_source", gr.io_signature(0, 0, 0), gr.io_signature(1, 1, gr.sizeof_gr_complex)
        )
        self.message_port_register_hier_in(COMMAND)
        kind, arguments = driver_of(device)
        self.radio = kind(
            arguments, float(sample_rate), float(center_frequency), gain, antenna, float(bandwidth), stream_arguments
        )
        self.connect(*self.radio.blocks, self)
        self.msg_connect((self, COMMAND), self.radio.command_port)
        self._counter = radio_overflows()
        if self.radio.overflow_port is not None:
            self.msg_connect(self.radio.overflow_port, (self._counter, ASYNC_MESSAGES))

    @property
    def has_time(self) -> bool:
        """Whether the radio keeps time itself (tags `rx_time`)."""
        return self.radio.has_time

    @property
    def overflows(self) -> int:
        """How many overflows the driver has reported; only UHD does, others tag them."""
        return self._counter.count

    def sample_rate(self) -> float:
        """Sample rate that the radio has set, Hz."""
        return self.radio.sample_rate

    def center_frequency(self) -> float:
        """Centre frequency that the radio has set, Hz."""
        return self.radio.center_frequency()

    def gain_range(self) -> tuple[float, float]:
        """(lowest, highest) gain of all stages together, dB."""
        return self.radio.gain_range()

    def antennas(self) -> list[str]:
        """Names of the antennas that the driver knows."""
        return self.radio.antennas()

    def antenna(self) -> str:
        """The one in use."""
        return self.radio.antenna()

    def set_antenna(self, antenna: str) -> None:
        """Use another antenna.

        Raises:
            rpmsn.errors.RadioError: the radio has none of this name.
        """
        self.radio.set_antenna(antenna)

    def set_center_frequency(self, center_frequency: float) -> None:
        """Tune, Hz; takes effect, and is tagged, a moment later."""
        self._send(keys.FREQ, center_frequency)

    def set_gain(self, gain: float | None) -> None:
        """Set the gain, dB; None leaves it as it is."""
        if gain is not None:
            self._send("gain", gain)

    def _send(self, key, value):
        """A command from Python, sent through the port that all commands use."""
        block, port = self.radio.command_port
        message = pmt.dict_add(pmt.make_dict(), pmt.intern(key), pmt.from_double(float(value)))
        block.to_basic_block()._post(pmt.intern(port), message)


def driver_of(device: str) -> tuple[type, str]:
    """(class of the driver, its arguments) for a device as a user names it.

    Raises:
        ParameterError: it is empty.
    """
    device = str(device).strip()
    if not device:
        raise ParameterError(
            "device is empty; name a radio, such as driver=rtlsdr, uhd or rtl_tcp=127.0.0.1:1234 "
            "(`rpmsn devices` lists the radios)"
        )
    if device == "uhd" or device.startswith(("uhd:", "uhd,")):
        return UhdRadio, device[4:]
    parts = device.split(",")
    if "driver=uhd" in parts:
        return UhdRadio, ",".join(part for part in parts if part != "driver=uhd")
    if device.startswith("osmosdr:"):
        return OsmosdrRadio, device.removeprefix("osmosdr:")
    if device.startswith("rtl_tcp"):
        return OsmosdrRadio, device
    return SoapyRadio, device
