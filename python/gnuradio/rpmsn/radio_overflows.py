# SPDX-License-Identifier: GPL-3.0-or-later
"""Block that counts the overflows that gr-uhd's source reports on its port `async_msgs`."""

import pmt
from gnuradio import gr

ASYNC_MESSAGES = "async_msgs"
NAME = "uhd_async_msg"
OVERFLOWS = "overflows"


class radio_overflows(gr.basic_block):
    """Counts overflows of a USRP.

    UHD's source reports them at most a few times a second, as pair of the symbol `uhd_async_msg` and a dict in which
    `overflows` (uint64) is how many there were since the last report. A retune is none: the source tags it with
    `rx_time`, too, but time is continuous. Which samples are missing is in the tags `rx_time` that jump.

    Ports:
        async_msgs (in): that of the source.

    Example:
        counter = rpmsn.radio_overflows()
        tb.msg_connect((usrp, "async_msgs"), (counter, "async_msgs"))
    """

    def __init__(self) -> None:
        gr.basic_block.__init__(self, "radio_overflows", None, None)
        self.count = 0
        self.message_port_register_in(pmt.intern(ASYNC_MESSAGES))
        self.set_msg_handler(pmt.intern(ASYNC_MESSAGES), self._handle)

    def _handle(self, message):
        if not (pmt.is_pair(message) and pmt.equal(pmt.car(message), pmt.intern(NAME))):
            return
        report = pmt.cdr(message)
        count = pmt.dict_ref(report, pmt.intern(OVERFLOWS), pmt.PMT_NIL) if pmt.is_dict(report) else pmt.PMT_NIL
        if pmt.is_integer(count) or pmt.is_uint64(count):
            self.count += pmt.to_python(count)
