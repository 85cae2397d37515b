# SPDX-License-Identifier: GPL-3.0-or-later
"""Before a driver waits for a server rtl_tcp: an address that cannot be, or another program, gets a sentence."""

import pytest

from rpmsn.errors import ParameterError, RadioError
from rpmsn.radios.rtl_tcp import check_server


@pytest.mark.parametrize("port", ["0", "65536", "x", "", "-1", "9" * 5000])
def test_a_port_that_cannot_be(port):
    with pytest.raises(ParameterError, match="from 1 to 65535"):
        check_server(f"rtl_tcp=127.0.0.1:{port}")


@pytest.mark.parametrize("host", ["a..b", "x" * 70])
def test_a_host_that_cannot_be(host):
    with pytest.raises(ParameterError, match="is no name of a computer"):
        check_server(f"rtl_tcp={host}:1234")


def test_where_nothing_answers():
    def connect(*_):
        raise ConnectionRefusedError(111, "Connection refused")

    with pytest.raises(RadioError, match="nothing answers at 127.0.0.1:1234 .*refused"):
        check_server("rtl_tcp", connect)
