# SPDX-License-Identifier: GPL-3.0-or-later
"""radio_source: real clients of rtl_tcp, SoapySDR and SoapyRemote on loopback; what a USRP sends, from a stand-in."""

import contextlib
import json
import os
import socket
import sys
import threading
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from radio_tools import RtlTcpServer, SoapyServer, build_test_device

pytest.importorskip("gnuradio.gr")
import gnuradio
import pmt
from gnuradio import blocks, gr, rpmsn
from gnuradio.rpmsn import pdu
from gnuradio.rpmsn.radio_osmosdr import OsmosdrRadio
from gnuradio.rpmsn.radio_overflows import radio_overflows
from gnuradio.rpmsn.radio_soapy import SoapyRadio
from gnuradio.rpmsn.radio_source import driver_of
from gnuradio.rpmsn.radio_uhd import UhdRadio

from rpmsn.errors import MissingLibraryError, ParameterError, RpmsnError

RATE = 2.4e6
CENTER = 900e6


@pytest.fixture(scope="module")
def soapy(tmp_path_factory):
    """Environment of the test device, which is set for this process too."""
    folder = tmp_path_factory.mktemp("soapy") / "modules"
    folder.mkdir()
    environment = build_test_device(folder)
    os.environ.update(environment)
    return environment


class Listener(gr.sync_block):
    """Keeps the samples, or only counts them, and the tags."""

    def __init__(self, keep=False):
        gr.sync_block.__init__(self, "listener", [np.complex64], None)
        self.samples, self.tags, self.count, self._keep = [], [], 0, keep

    def work(self, input_items, output_items):
        self.count += len(input_items[0])
        if self._keep:
            self.samples.append(input_items[0].copy())
        self.tags += [
            (tag.offset, pmt.symbol_to_string(tag.key), pmt.to_python(tag.value))
            for tag in self.get_tags_in_window(0, 0, len(input_items[0]))
        ]
        return len(input_items[0])

    def of(self, key):
        return [(offset, value) for offset, name, value in self.tags if name == key]


def wait_until(is_true, seconds=15):
    end = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


class Running:
    """A flowgraph of a source and a sink; a context manager."""

    def __init__(self, source, sink):
        self.flowgraph = gr.top_block()
        self.flowgraph.connect(source, sink)
        self.parts = source, sink

    def __enter__(self):
        self.flowgraph.start()
        return self

    def __exit__(self, *_):
        self.flowgraph.stop()
        self.flowgraph.wait()


def resident_mb():
    """Memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def nanoseconds(text):
    """Since 1970, of a time as logs have it."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    return int(datetime.fromisoformat(whole + "+00:00").timestamp()) * 10**9 + int(fraction)


@pytest.mark.parametrize(
    "device, kind, arguments",
    [
        ("driver=rtlsdr", SoapyRadio, "driver=rtlsdr"),
        ("driver=remote,remote=tcp://pi:55132", SoapyRadio, "driver=remote,remote=tcp://pi:55132"),
        ("uhd", UhdRadio, ""),
        ("uhd:type=b200,serial=3", UhdRadio, "type=b200,serial=3"),
        ("driver=uhd", UhdRadio, ""),
        ("driver=uhd,type=b200", UhdRadio, "type=b200"),
        ("rtl_tcp=pi:1234", OsmosdrRadio, "rtl_tcp=pi:1234"),
        ("osmosdr:hackrf=0", OsmosdrRadio, "hackrf=0"),
    ],
)
def test_what_opens_a_device_follows_from_how_it_is_named(device, kind, arguments):
    assert driver_of(device) == (kind, arguments)


def refusal(*arguments, **options):
    with pytest.raises(RpmsnError) as caught:
        rpmsn.radio_source(*arguments, **options)
    return str(caught.value)


class TestRefusals:
    def test_a_device_without_a_name(self):
        with pytest.raises(ParameterError, match="driver=rtlsdr, uhd or rtl_tcp"):
            rpmsn.radio_source(" ", RATE, CENTER)

    @pytest.mark.parametrize(
        "device, options, said",
        [
            ("driver=rpmsntest", {"sample_rate": 100e6}, "no sample rate of 100 Msps; choose from 1 to 61.44"),
            ("driver=rpmsntest", {"center_frequency": 9e9}, "no frequency of 9000 MHz; choose from 24 to 6000"),
            ("driver=rpmsntest", {"gain": 99}, "no gain of 99 dB; choose from 0 to 50"),
            ("driver=rpmsntest", {"antenna": "RX9"}, "Available antennas are: [RX1, RX2]"),
            ("driver=hackrf", {}, "apt-get install soapysdr-module-hackrf"),
            ("driver=nothing", {}, "apt-cache search soapysdr-module"),
        ],
    )
    def test_of_soapy_names_what_is_allowed_or_the_package(self, soapy, device, options, said):
        assert said in refusal(**{"device": device, "sample_rate": RATE, "center_frequency": CENTER, **options})

    @pytest.mark.parametrize(
        "device, module, package",
        [
            ("driver=rtlsdr", "gnuradio.soapy", "gnuradio"),
            ("uhd", "gnuradio.uhd", "gnuradio uhd-host"),
            ("osmosdr:rtl=0", "osmosdr", "gr-osmosdr"),
        ],
    )
    def test_a_missing_part_of_gnu_radio_names_its_package(self, monkeypatch, device, module, package):
        monkeypatch.setitem(sys.modules, module, None)
        monkeypatch.delattr(gnuradio, module.split(".")[-1], raising=False)
        with pytest.raises(MissingLibraryError, match=f"apt-get install {package}"):
            rpmsn.radio_source(device, RATE, CENTER)

    def test_where_nothing_answers_says_how_to_start_the_server(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        assert f"rtl_tcp -a 0.0.0.0 -p {port}" in refusal(f"rtl_tcp=127.0.0.1:{port}", RATE, CENTER)

    def test_a_port_that_is_none(self):
        assert "rtl_tcp=HOST:PORT" in refusal("rtl_tcp=127.0.0.1:many", RATE, CENTER)

    def test_what_answers_and_is_no_rtl_tcp(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            answer = threading.Thread(target=lambda: listener.accept()[0].sendall(b"HTTP/1.1 200"))
            answer.start()
            said = refusal(f"rtl_tcp=127.0.0.1:{listener.getsockname()[1]}", RATE, CENTER)
            answer.join()
        assert "is no rtl_tcp (it says b'HTTP'" in said

    def test_rate_and_frequency_that_a_tuner_of_rtl_tcp_has_not(self):
        pytest.importorskip("osmosdr")
        with RtlTcpServer() as server:
            assert "choose from 0.25 to 2.56" in refusal(server.device, 20e6, CENTER)
        with RtlTcpServer() as server:
            assert "choose from 24 to 1766" in refusal(server.device, RATE, 3e9)

    def test_without_a_usrp_names_the_tool_and_the_package(self):
        said = refusal("uhd:addr=127.0.0.1", RATE, CENTER)
        assert "uhd_find_devices" in said and "apt-get install uhd-host" in said


class TestRtlTcp:
    @pytest.fixture(autouse=True)
    def client(self):
        pytest.importorskip("osmosdr")

    def test_rate_frequency_and_gain_reach_the_radio_and_are_tagged(self):
        with RtlTcpServer() as server:
            source, listener = rpmsn.radio_source(server.device, RATE, CENTER, gain=30), Listener()
            with Running(source, listener):
                wait_until(lambda: listener.count > 1e5)
                source.set_center_frequency(910e6)
                source.set_gain(10)
                wait_until(lambda: len(listener.of("rx_freq")) > 1)
            commands = server.commands()
        assert (commands["rate"], commands["frequency"]) == (RATE, 910e6)
        assert commands["gain"] < 297
        assert listener.of("rx_freq")[0] == (0, CENTER) and listener.of("rx_freq")[1][1] == 910e6
        assert listener.of("rx_rate")[0] == (0, RATE)
        assert source.center_frequency() == 910e6

    def test_samples_are_of_the_old_frequency_before_the_tag_and_settled_a_moment_after_it(self):
        with RtlTcpServer("--settle", 0.1) as server:
            source, listener = rpmsn.radio_source(server.device, RATE, CENTER), Listener(keep=True)
            with Running(source, listener):
                wait_until(lambda: listener.count > 2 * RATE)
                source.set_center_frequency(910e6)
                wait_until(lambda: len(listener.of("rx_freq")) > 1)
                wait_until(lambda: listener.count > listener.of("rx_freq")[1][0] + RATE / 2)
        at_rail = np.flatnonzero(np.abs(np.concatenate(listener.samples)) > 0.9)
        tagged = listener.of("rx_freq")[1][0]
        changed = at_rail[at_rail > RATE]
        assert len(changed) and changed[-1] < tagged + 0.3 * RATE
        assert abs(changed[0] - tagged) < 0.2 * RATE

    def test_a_command_that_cannot_be_done_leaves_the_stream_and_the_frequency_alone(self):
        with RtlTcpServer() as server:
            source, listener = rpmsn.radio_source(server.device, RATE, CENTER), Listener()
            with Running(source, listener):
                for command in ({"freq": 9e9}, {"gain": 500.0}, {"colour": 1}, 5):
                    block, port = source.radio.command_port
                    block.to_basic_block()._post(pmt.intern(port), pmt.to_pmt(command))
                wait_until(lambda: listener.count > RATE / 2)
                assert source.center_frequency() == CENTER
                assert len(listener.of("rx_freq")) == 1

    @pytest.mark.parametrize(
        "fault, length, health", [("garbage", 3, "overload"), ("stall", 4, "no samples for"), ("drop", 1, "ok")]
    )
    def test_faults_show_in_the_health_and_the_stream_goes_on(self, any_rate_model, fault, length, health):
        with RtlTcpServer("--fault", fault, 1, length) as server:
            source = rpmsn.radio_source(server.device, RATE, CENTER)
            sink = rpmsn.segmenter_sink(RATE, CENTER, any_rate_model, frames_per_second=0)
            with Running(source, sink):
                server.wait_for("fault", fault)
                wait_until(lambda: sink.status()["health"].startswith(health))
                wait_until(lambda: sink.status()["health"] == "ok" and sink.status()["input_rate"] > 0)

    def test_times_are_those_of_the_host(self, any_rate_model):
        with RtlTcpServer() as server:
            source = rpmsn.radio_source(server.device, RATE, CENTER)
            assert not source.has_time
            listener = Listener()
            with Running(source, listener):
                wait_until(lambda: listener.count > 1e5)
        assert not listener.of("rx_time")

    def test_a_stream_at_speed_keeps_its_time_and_its_memory(self, any_rate_model, tmp_path):
        log = tmp_path / "found.jsonl"
        with RtlTcpServer("--fast", "--band", 899.6e6, 900.1e6, 25) as server:
            source = rpmsn.radio_source(server.device, RATE, CENTER)
            sink = rpmsn.segmenter_sink(
                RATE, CENTER, any_rate_model, frames_per_second=0, duty_cycle=0.1, logs=[str(log)]
            )
            with Running(source, sink):
                wait_until(lambda: sink.status()["samples_received"] > 16 * RATE, 40)  # all buffers were used
                before = resident_mb()
                wait_until(lambda: sink.status()["samples_received"] > 48 * RATE, 40)
                grown = resident_mb() - before
        status = sink.status()
        assert grown < 20
        known = sum(status[f"samples_{fate}"] for fate in ("analysed", "dropped", "skipped"))
        assert status["samples_received"] == known
        reported = [json.loads(line) for line in log.read_text().splitlines()]
        starts = [
            (nanoseconds(line["rx_time"]), line["start_offset"]) for line in reported if line.get("event") == "update"
        ]
        (first, first_sample), (last, last_sample) = min(starts), max(starts)
        assert last_sample - first_sample > 20 * RATE
        assert last - first == pytest.approx((last_sample - first_sample) * 1e9 / RATE, abs=2)

    def test_a_real_capture_comes_through_as_it_was(self, captures):
        recording = captures / "ota_rtlsdr_lte_1860MHz.sigmf-data"
        with RtlTcpServer("--recording", recording, "--fast") as server:
            source, listener = rpmsn.radio_source(server.device, 1.92e6, CENTER), Listener(keep=True)
            with Running(source, listener):
                wait_until(lambda: listener.count > 1e6)
        heard = np.concatenate(listener.samples)[:400_000]
        raw = np.fromfile(recording, np.uint8).reshape(-1, 2).astype(np.float32)
        sent = (raw @ [1, 1j] - 127.4 * (1 + 1j)) / 128
        # The stream begins somewhere in the repeated recording; a spike in that must not decide where.
        quiet = np.where(np.abs(sent) < 0.2, sent, 0)
        spectrum = np.fft.fft(heard[:65536], len(sent))
        start = int(np.abs(np.fft.ifft(np.fft.fft(quiet) * spectrum.conj())).argmax())
        assert np.abs(heard - np.resize(np.roll(sent, -start), len(heard))).max() < 0.02


class TestSoapy:
    def test_time_is_utc_and_an_overflow_is_a_gap_of_its_length(self, soapy, any_rate_model):
        source = rpmsn.radio_source("driver=rpmsntest,overflow=0.5:0.1", RATE, CENTER, gain=20)
        assert source.has_time
        sink, listener = rpmsn.segmenter_sink(RATE, CENTER, any_rate_model, frames_per_second=0), Listener()
        flowgraph = gr.top_block()
        flowgraph.connect(source, sink)
        flowgraph.connect(source, listener)
        flowgraph.start()
        wait_until(lambda: len(listener.of("rx_time")) > 1 and sink.status()["overflows"])
        flowgraph.stop()
        flowgraph.wait()
        (first, (seconds, fraction)), (second, (later, later_fraction)) = listener.of("rx_time")[:2]
        assert abs(seconds + fraction - time.time()) < 20
        jump = later - seconds + later_fraction - fraction - (second - first) / RATE
        assert jump == pytest.approx(0.1, abs=1e-6)
        assert (sink.status()["samples_lost"], sink.status()["overflows"]) == (240_000, 1)

    def test_a_radio_without_a_clock_has_no_time_tags(self, soapy):
        source, listener = rpmsn.radio_source("driver=rpmsntest,notime=1,fast=1", RATE, CENTER), Listener()
        with Running(source, listener):
            wait_until(lambda: listener.count > 1e5)
        assert not source.has_time and not listener.of("rx_time")

    def test_a_retune_is_tagged(self, soapy):
        source, listener = rpmsn.radio_source("driver=rpmsntest", RATE, CENTER), Listener()
        with Running(source, listener):
            wait_until(lambda: listener.count > 1e5)
            source.set_center_frequency(1.8e9)
            wait_until(lambda: len(listener.of("rx_freq")) > 1)
        assert [value for _, value in listener.of("rx_freq")] == [CENTER, 1.8e9]

    def test_61_44_msps_can_be_asked_for(self, soapy):
        source, listener = rpmsn.radio_source("driver=rpmsntest,fast=1", 61.44e6, CENTER, antenna="RX2"), Listener()
        with Running(source, listener):
            wait_until(lambda: listener.count > 1e6)
        assert listener.of("rx_rate")[0] == (0, 61.44e6)

    def test_the_same_through_soapy_remote(self, soapy):
        with SoapyServer(soapy) as server:
            source = rpmsn.radio_source(server.device + ",overflow=0.5:0.1", RATE, CENTER, gain=20)
            listener = Listener()
            with Running(source, listener):
                wait_until(lambda: len(listener.of("rx_time")) > 1)
                source.set_center_frequency(910e6)
                wait_until(lambda: len(listener.of("rx_freq")) > 1)
            (first, (seconds, fraction)), (second, (later, later_fraction)) = listener.of("rx_time")[:2]
            del source
        assert later - seconds + later_fraction - fraction - (second - first) / RATE == pytest.approx(0.1, abs=1e-4)
        assert listener.of("rx_freq")[1][1] == 910e6


@contextlib.contextmanager
def started(flowgraph):
    """Run a flowgraph; one that is collected while it runs would block Python for good."""
    flowgraph.start()
    try:
        yield
    finally:
        flowgraph.stop()
        flowgraph.wait()


def radio_tag(offset, key, value):
    made = gr.tag_t()
    made.offset, made.key, made.value = offset, pmt.intern(key), value
    return made


class UsrpLike(gr.sync_block):
    """Sends what gr-uhd's usrp_source sends: tags with its name as source id, commands as dict or pair.

    rx_time, rx_rate and rx_freq come together, on the first sample, on the first one after a command that tunes, and on
    the first one after an overflow, whose samples are missing.
    """

    def __init__(self, sample_rate, center_frequency, overflow_at=None, lost=0):
        gr.sync_block.__init__(self, "usrp_source", None, [np.complex64])
        self.sample_rate, self.center_frequency = sample_rate, center_frequency
        self.commands = []
        self._overflow_at, self._lost, self._missing = overflow_at, lost, 0
        self._tag_now = True
        self.message_port_register_in(pmt.intern("command"))
        self.set_msg_handler(pmt.intern("command"), self._handle)

    def work(self, input_items, output_items):
        count, start = min(len(output_items[0]), 16384), self.nitems_written(0)
        if self._overflow_at is not None and start >= self._overflow_at:
            self._overflow_at, self._missing, self._tag_now = None, self._missing + self._lost, True
        if self._tag_now:
            self._tag_now = False
            whole, rest = divmod(start + self._missing, round(self.sample_rate))
            moment = pmt.make_tuple(pmt.from_uint64(1_700_000_000 + whole), pmt.from_double(rest / self.sample_rate))
            for key, value in (
                ("rx_time", moment),
                ("rx_rate", pmt.from_double(self.sample_rate)),
                ("rx_freq", pmt.from_double(self.center_frequency)),
            ):
                self.add_item_tag(0, start, pmt.intern(key), value, pmt.intern("usrp_source1"))
        output_items[0][:count] = 0.01 * np.random.default_rng(start).standard_normal((count, 2)).view(complex)[:, 0]
        time.sleep(count / self.sample_rate / 4)
        return count

    def _handle(self, message):
        assert pmt.is_dict(message)
        self.commands.append(message)
        self.center_frequency = pmt.to_double(pmt.dict_ref(message, pmt.intern("freq"), pmt.PMT_NIL))
        self._tag_now = True


class TestUsrp:
    def test_its_tags_give_time_frequency_and_lost_samples(self, any_rate_model):
        source = UsrpLike(RATE, CENTER, overflow_at=480_000, lost=24_000)
        sink = rpmsn.segmenter_sink(RATE, 0, any_rate_model, frames_per_second=0)
        with Running(source, sink):
            wait_until(lambda: sink.status()["overflows"] == 1)
        status = sink.status()
        assert (status["samples_lost"], status["center_frequency"]) == (24_000, CENTER)

    def test_retunes_are_no_overflows_in_a_live_sink(self, any_rate_model):
        source, listener = UsrpLike(RATE + 0.3, CENTER), Listener()
        sink = rpmsn.segmenter_sink(RATE, 0, any_rate_model, frames_per_second=0)
        flowgraph = gr.top_block()
        flowgraph.connect(source, sink)
        flowgraph.connect(source, listener)
        with started(flowgraph):
            for number in range(1, 5):
                wait_until(lambda wanted=number: len(listener.of("rx_time")) >= wanted, 60)
                source.to_basic_block()._post(pmt.intern("command"), pdu.make_tune_command(CENTER + number * 1e6))
            wait_until(lambda: sink.status()["center_frequency"] == CENTER + 4e6, 60)
        assert (sink.status()["overflows"], sink.status()["samples_lost"]) == (0, 0)

    @pytest.mark.parametrize("rate, lost", [(RATE, 0), (RATE, 24_000), (RATE - 1, 0), (RATE + 1, 0)])
    def test_in_a_scan_retunes_are_no_overflows_one_hertz_is_no_other_rate_and_an_overflow_is_one(
        self, any_rate_model, rate, lost
    ):
        source = UsrpLike(rate, CENTER, overflow_at=240_000 if lost else None, lost=lost)
        scanner = rpmsn.band_scanner(900e6, 904e6, RATE, 0.01, model=any_rate_model)
        flowgraph = gr.top_block()
        flowgraph.connect(source, scanner)
        flowgraph.msg_connect((scanner, "command"), (source, "command"))
        with started(flowgraph):
            wait_until(lambda: scanner.status()["sweep"] > 1 and scanner.status()["samples_received"] > 300_000, 60)
        status = scanner.status()
        assert (status["overflows"], status["samples_lost"]) == (lost > 0, lost)
        assert "error" not in status

    def test_a_tag_that_cannot_be_read_or_a_wrong_rate_loses_no_sample_and_no_other_tag(self, any_rate_model):
        count = 30 * 8192
        tags = [
            (1000, "rx_rate", pmt.from_double(2 * RATE)),
            (1000, "rx_freq", pmt.from_double(900.9e6)),
            (1000, "rx_time", pmt.make_tuple(pmt.from_uint64(7), pmt.from_double(0.5))),
            (2000, "rx_rate", pmt.intern("fast")),
            (2000, "rx_freq", pmt.from_double(901.9e6)),
            (2000, "rx_time", pmt.intern("noon")),
        ]
        source = blocks.vector_source_c(np.zeros(count), tags=[radio_tag(*one) for one in tags])
        scanner = rpmsn.band_scanner(900e6, 904e6, RATE, 0.01, model=any_rate_model)
        followed = []
        follow = scanner._scanner.follow
        scanner._scanner.follow = lambda *reported: (followed.append(reported), follow(*reported))
        flowgraph = gr.top_block()
        flowgraph.connect(source, scanner)
        flowgraph.run()
        assert followed == [(1000, 900.9e6, (7, 0.5), 2 * RATE), (2000, 901.9e6, None, None)]
        status = scanner.status()
        assert status["samples_received"] == status["samples_skipped"] == count
        assert "sample rate of the radio is 4.8e+06 Hz" in status["error"] and "tag rx_time is noon" in status["error"]

    def test_the_overflows_that_its_messages_report_are_added_up_and_others_ignored(self):
        counter = radio_overflows()
        flowgraph = gr.top_block()
        strobe = blocks.message_strobe(pmt.PMT_NIL, 10_000)
        flowgraph.msg_connect((strobe, "strobe"), (counter, "async_msgs"))
        flowgraph.start()
        reported = pmt.dict_add(pmt.make_dict(), pmt.intern("overflows"), pmt.from_uint64(3))
        other = pmt.dict_add(pmt.make_dict(), pmt.intern("event_code"), pmt.intern("underflow"))
        wrong = pmt.dict_add(pmt.make_dict(), pmt.intern("overflows"), pmt.intern("many"))
        for message in (
            pmt.cons(pmt.intern("uhd_async_msg"), reported),
            pmt.cons(pmt.intern("uhd_async_msg"), wrong),
            pmt.cons(pmt.intern("uhd_async_msg"), other),
            pmt.intern("else"),
            pmt.cons(pmt.intern("uhd_async_msg"), reported),
        ):
            counter.to_basic_block()._post(pmt.intern("async_msgs"), message)
        wait_until(lambda: counter.count == 6)
        flowgraph.stop()
        flowgraph.wait()

    def test_the_waterfalls_tune_command_is_a_dict_of_doubles_that_it_takes(self):
        source, listener = UsrpLike(RATE, CENTER), Listener()
        with Running(source, listener):
            wait_until(lambda: listener.count > 0)
            source.to_basic_block()._post(pmt.intern("command"), pdu.make_tune_command(1.85e9))
            wait_until(lambda: len(listener.of("rx_freq")) > 1)
        assert listener.of("rx_freq")[1][1] == 1.85e9

    def test_a_scan_sends_it_the_time_to_tune_at_as_a_pair(self, any_rate_model):
        source = UsrpLike(RATE, CENTER)
        scanner = rpmsn.band_scanner(900e6, 904e6, RATE, 0.01, model=any_rate_model, timed=True)
        flowgraph = gr.top_block()
        flowgraph.connect(source, scanner)
        flowgraph.msg_connect((scanner, "command"), (source, "command"))
        flowgraph.start()
        wait_until(lambda: len(source.commands) > 4)
        flowgraph.stop()
        flowgraph.wait()
        assert not pmt.dict_has_key(source.commands[0], pmt.intern("time"))
        times = [pmt.dict_ref(command, pmt.intern("time"), pmt.PMT_NIL) for command in source.commands[1:]]
        assert all(
            pmt.is_pair(moment) and pmt.is_uint64(pmt.car(moment)) and pmt.is_real(pmt.cdr(moment)) for moment in times
        )
        seconds = [pmt.to_uint64(pmt.car(moment)) + pmt.to_double(pmt.cdr(moment)) for moment in times]
        assert seconds == sorted(seconds) and seconds[0] > 1_700_000_000
