# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn devices` and the options that name a radio: radios found, drivers missing, values refused."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import pytest
from limits import PROCESS_S
from radio_tools import build_test_device

from rpmsn.cli.options import add_radio, hertz
from rpmsn.errors import RadioError
from rpmsn.radios import findings
from rpmsn.radios.findings import RTLSDR, Plugged, Radio
from rpmsn.radios.listing import print_devices
from rpmsn.radios.ranges import check_in_ranges

ROOT = Path(__file__).resolve().parents[2]
SOAPY = """
######################################################
##     Soapy SDR -- the SDR abstraction library     ##
######################################################

Found device 0
  driver = rtlsdr
  label = Generic RTL2832U OEM :: 00000001
  serial = 00000001

Found device 1
  driver = audio
  label = Built-in Audio

Found device 2
  driver = remote
  label = Generic RTL2832U OEM :: 5
  remote = tcp://10.0.0.7:55132
  remote:driver = rtlsdr
  serial = 5
"""
UHD = """--------------------------------------------------
-- UHD Device 0
--------------------------------------------------
Device Address:
    serial: 30AD305
    name:
    product: B200
    type: b200
"""


def test_radios_are_listed_as_the_options_take_them():
    assert [radio.device for radio in findings.soapy_radios(SOAPY)] == [
        "driver=rtlsdr,serial=00000001",
        "driver=remote,serial=5,remote=tcp://10.0.0.7:55132,remote:driver=rtlsdr",
    ]
    assert findings.uhd_radios(UHD) == [Radio("uhd:type=b200,serial=30AD305", "USRP B200")]


class TestSoapyPackage:
    """SoapySDR's Python package takes the place of its tool."""

    @pytest.fixture(autouse=True)
    def package_without_tool(self, tmp_path, monkeypatch):
        (tmp_path / "SoapySDR.py").write_text(
            "class Device:\n"
            "    @staticmethod\n"
            "    def enumerate():\n"
            "        return [{'driver': 'rtlsdr', 'label': 'Generic', 'serial': '7'}]\n"
            "def listModules():\n"
            "    return ['/usr/lib/SoapySDR/modules0.8/librtlsdrSupport.so', '/usr/lib/libHackRFSupport.so']\n"
        )
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        monkeypatch.setenv("PATH", str(tmp_path))

    def test_radios_are_found_by_it(self):
        assert findings.find_radios() == [Radio("driver=rtlsdr,serial=7", "Generic")]

    def test_it_lists_the_drivers(self):
        assert findings.soapy_drivers() == ["hackrf", "rtlsdr"]

    def test_the_tool_is_not_asked_for(self):
        assert findings.missing_tools() == [findings.UHD]


def test_nothing_found_is_an_empty_list():
    assert findings.soapy_radios("No devices found! ") == findings.uhd_radios("No UHD Devices Found\n") == []


@pytest.fixture
def socket_folder(tmp_path):
    """Folders as the kernel keeps them, with one RTL-SDR: (devices, nodes, folder of the RTL-SDR)."""
    devices, nodes = tmp_path / "devices", tmp_path / "bus"
    radio = devices / "1-2"
    radio.mkdir(parents=True)
    for name, value in (("idVendor", "0bda"), ("idProduct", "2838"), ("busnum", "1"), ("devnum", "7")):
        (radio / name).write_text(value + "\n")
    (devices / "usb1").mkdir()
    (nodes / "001").mkdir(parents=True)
    (nodes / "001" / "007").touch()
    return devices, nodes, radio


class TestPluggedIn:
    def test_a_radio_that_may_be_opened_has_no_obstacles(self, socket_folder):
        devices, nodes, _ = socket_folder
        (found,) = findings.plugged_in(devices, nodes)
        assert (found.kind, found.place, found.obstacles) == (RTLSDR, "1-2", [])

    def test_without_permission_the_udev_rule_is_named(self, socket_folder):
        devices, nodes, _ = socket_folder
        (nodes / "001" / "007").unlink()
        (found,) = findings.plugged_in(devices, nodes)
        assert "apt-get install librtlsdr0 brings the udev rule" in found.obstacles[0]

    def test_the_kernels_television_driver_is_named_with_the_command_that_unloads_it(self, socket_folder, tmp_path):
        devices, nodes, radio = socket_folder
        (tmp_path / "drivers" / findings.KERNEL_DRIVER).mkdir(parents=True)
        (radio / "1-2:1.0").mkdir()
        (radio / "1-2:1.0" / "driver").symlink_to(tmp_path / "drivers" / findings.KERNEL_DRIVER)
        (found,) = findings.plugged_in(devices, nodes)
        assert "modprobe -r dvb_usb_rtl28xxu" in found.obstacles[0]

    def test_other_usb_devices_are_none(self, socket_folder):
        devices, nodes, radio = socket_folder
        (radio / "idProduct").write_text("0001\n")
        assert findings.plugged_in(devices, nodes) == []


class TestListing:
    def test_nothing_plugged_in_gives_packages_and_an_offer_of_the_demo(self, capsys):
        assert print_devices([], [], ["remote", "rtlsdr"], []) == 1
        said = capsys.readouterr().out
        assert "No radio was found. SoapySDR has drivers for: remote, rtlsdr." in said
        assert "rpmsn synth" in said

    def test_what_is_there_is_not_asked_for(self, capsys):
        print_devices([], [], ["rtlsdr"], [])
        said = capsys.readouterr().out
        assert "An RTL-SDR:            plug it in; its driver is here." in said
        assert "A USRP:                uhd_images_downloader" in said and "apt-get" not in said

    def test_a_tool_that_is_missing_is_named_with_its_package(self, capsys):
        print_devices([], [], [], [findings.UHD])
        said = capsys.readouterr().out
        assert "uhd_find_devices is not installed, and is needed to look for radios: apt-get install uhd-host" in said
        assert "apt-get install soapysdr-module-rtlsdr" in said

    def test_a_radio_without_a_driver_is_listed_with_its_package(self, capsys):
        assert print_devices([], [Plugged(RTLSDR, "1-2", True, "")], [], []) == 1
        assert "RTL-SDR in USB socket 1-2: no driver has found it: apt-get install soapysdr-module-rtlsdr" in (
            capsys.readouterr().out
        )

    def test_a_radio_that_works_is_reported_once(self, capsys):
        assert (
            print_devices([Radio("driver=rtlsdr,serial=1", "Generic")], [Plugged(RTLSDR, "1-2", True, "usbfs")], [], [])
            == 0
        )
        assert capsys.readouterr().out == "driver=rtlsdr,serial=1  Generic\n"

    def test_the_command_finds_the_test_device(self, tmp_path):
        folder = tmp_path / "modules"
        folder.mkdir()
        environment = {**os.environ, **build_test_device(folder), "PYTHONPATH": str(ROOT / "python")}
        result = subprocess.run(
            [sys.executable, "-m", "rpmsn.cli", "devices"],
            env=environment,
            text=True,
            capture_output=True,
            timeout=PROCESS_S,
        )
        assert "driver=rpmsntest,serial=1  Test device of gr-rpmsn" in result.stdout
        assert result.returncode == 0


class TestOptions:
    def parse(self, *arguments, **how):
        parser = argparse.ArgumentParser()
        add_radio(parser, **how)
        return parser.parse_args(arguments)

    @pytest.mark.parametrize(
        "text, value",
        [("1.8G", 1.8e9), ("2.4M", 2.4e6), ("960k", 960e3), ("61.44e6", 61.44e6), ("1842500000", 1842.5e6)],
    )
    def test_numbers_as_people_write_them(self, text, value):
        assert hertz(text) == pytest.approx(value)

    @pytest.mark.parametrize("text", ["", "M", "1.8X", "-3M", "0", "nan", "inf", "1,8G"])
    def test_what_is_no_frequency_is_refused(self, text):
        with pytest.raises(argparse.ArgumentTypeError, match="1842.5M"):
            hertz(text)

    def test_defaults(self):
        options = self.parse("--device", "driver=rtlsdr", "--frequency", "806M")
        assert (options.rate, options.gain, options.antenna, options.bandwidth, options.stream_args) == (
            2.4e6,
            None,
            "",
            0.0,
            "",
        )

    def test_a_device_is_needed_and_a_frequency_unless_the_command_tunes(self, capsys):
        with pytest.raises(SystemExit):
            self.parse("--device", "driver=rtlsdr")
        assert "--frequency" in capsys.readouterr().err
        assert self.parse("--device", "driver=rtlsdr", needs_frequency=False).frequency is None

    def test_a_gain_that_is_none(self, capsys):
        with pytest.raises(SystemExit):
            self.parse("--device", "uhd", "--frequency", "1G", "--gain", "loud")
        assert "not a gain in dB" in capsys.readouterr().err


class TestRanges:
    RANGES = [(0.25e6, 0.3e6), (0.9e6, 3.2e6)]

    @pytest.mark.parametrize("value", [0.25e6, 0.3e6, 3.2e6, 3.2e6 * (1 + 1e-9)])
    def test_what_lies_inside_is_taken(self, value):
        check_in_ranges("radio", "sample rate", value, self.RANGES, "Msps", 1e6)

    @pytest.mark.parametrize("value", [0.2e6, 0.5e6, 3.3e6])
    def test_what_does_not_is_refused_with_all_that_there_is(self, value):
        with pytest.raises(RadioError, match="0.25 to 0.3, 0.9 to 3.2"):
            check_in_ranges("radio", "sample rate", value, self.RANGES, "Msps", 1e6)

    def test_a_little_beyond_is_tried_with_a_warning_where_radios_reach_further(self, caplog):
        check_in_ranges("radio", "frequency", 1.86e9, [(24e6, 1766e6)], "MHz", 1e6, reach=0.08)
        assert "tried all the same" in caplog.text
        with pytest.raises(RadioError):
            check_in_ranges("radio", "frequency", 2.4e9, [(24e6, 1766e6)], "MHz", 1e6, reach=0.08)

    def test_a_driver_that_reports_no_ranges_is_asked(self):
        check_in_ranges("radio", "frequency", 5e9, [], "MHz", 1e6)
