# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that people have: each is read as what it is, or a sentence says what it is and how to go on."""

import bz2
import gzip
import io
import json
import lzma
import os
import struct
import subprocess
import sys
import tarfile
import threading
import zipfile
import zlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import sigmf
from limits import PROCESS_S
from test_recording import carrier

from rpmsn.errors import ParameterError, RecordingError
from rpmsn.recording import FORMATS, open_recording, write_annotations
from rpmsn.recording import stores as stores_module
from rpmsn.recording.formats import sample_format
from rpmsn.recording.readers import kinds, names

RATE = 2_400_000
FREQUENCY = 1_867_500_000
SHOWN = np.random.default_rng(5).integers(-30_000, 30_000, (1500, 2)).astype("<i2")
EXPECTED = (SHOWN.astype(np.float32) / 32768).view(np.complex64)[:, 0]


def metadata(**global_fields):
    fields = {"datatype": "ci16_le", "sample_rate": RATE, "version": "1.2.0", **global_fields}
    return {
        "global": {f"core:{name}": value for name, value in fields.items()},
        "captures": [{"core:sample_start": 0, "core:frequency": FREQUENCY}],
        "annotations": [],
    }


def chunk(name, content):
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def fmt(kind=1, channels=2, rate=RATE, bits=16):
    return chunk(
        b"fmt ", struct.pack("<HHIIHH", kind, channels, rate, rate * channels * bits // 8, channels * bits // 8, bits)
    )


def auxi(frequency=FREQUENCY):
    time = struct.pack("<8H", 2024, 5, 3, 1, 12, 3, 7, 412)
    return chunk(b"auxi", time + time + struct.pack("<9I", frequency, RATE, 0, 0, 0, 0, 0, 0, 0))


def wav(*chunks, name=b"RIFF", samples=SHOWN, size=None):
    data = samples.tobytes()
    body = b"WAVE" + b"".join(chunks) + b"data" + struct.pack("<I", len(data) if size is None else size) + data
    return name + struct.pack("<I", len(body)) + body


def tar(files, kind="w"):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=kind) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def npy(array):
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


PAIR = {"band/band.sigmf-meta": json.dumps(metadata()).encode(), "band/band.sigmf-data": SHOWN.tobytes()}
ARCHIVE = tar(PAIR)
READ = {
    "iq.wav": (wav(fmt(), auxi()), FREQUENCY),
    "odd-chunk.wav": (wav(fmt(), chunk(b"LIST", b"abc"), auxi()), FREQUENCY),
    "unfinished.wav": (wav(fmt(), auxi(), size=0), FREQUENCY),
    "HDSDR_20240501_120307Z_1867500kHz_RF.wav": (wav(fmt()), FREQUENCY),
    "SDRSharp_20240501_120307Z_1867500000Hz_IQ.wav": (wav(fmt()), FREQUENCY),
    "SDRuno_20240501_120307_1867500kHz.wav": (wav(fmt()), FREQUENCY),
    "baseband_1867500000Hz_12-03-07_01-05-2024.wav": (wav(fmt()), FREQUENCY),
    "rf64.wav": (
        wav(chunk(b"ds64", struct.pack("<QQQ", 0, SHOWN.nbytes, 0)), fmt(), auxi(), name=b"RF64", size=0xFFFFFFFF)
        + chunk(b"LIST", bytes(12)),
        FREQUENCY,
    ),
    "extensible.wav": (
        wav(chunk(b"fmt ", fmt(0xFFFE)[8:] + struct.pack("<HHIH", 22, 16, 3, 1) + bytes(14)), auxi()),
        FREQUENCY,
    ),
    "console.wav": (
        wav(fmt(), chunk(b"auxi", f'<SDR-XML-Root RadioCenterFreq="{FREQUENCY}" />'.encode("utf-16-le"))),
        FREQUENCY,
    ),
    "x_fs2.4M_fc1867.5MHz.npy": (npy(EXPECTED), FREQUENCY),
    "x_fs2.4M.npy": (npy(SHOWN), None),
    "band.sigmf": (ARCHIVE, FREQUENCY),
    "band.sigmf.gz": (gzip.compress(ARCHIVE), FREQUENCY),
    "band.sigmf.xz": (lzma.compress(ARCHIVE), FREQUENCY),
    "band.sigmf.zip": (zipped(PAIR), FREQUENCY),
    "g001_1867.5M_2400k.cs16": (SHOWN.tobytes(), FREQUENCY),
    "g001_1867.5M_2400k.cs16.gz": (gzip.compress(SHOWN.tobytes()), FREQUENCY),
    "g001_1867.5M_2400k.cs16.bz2": (bz2.compress(SHOWN.tobytes()), FREQUENCY),
    "iq.wav.xz": (lzma.compress(wav(fmt(), auxi())), FREQUENCY),
    "only.zip": (zipped({"a/g001_1867.5M_2400k.cs16": SHOWN.tobytes()}), FREQUENCY),
    "gqrx_20240501_120307_1867500000_2400000_fc.raw": (EXPECTED.tobytes(), FREQUENCY),
    "lte_fc=1867.5MHz_fs=2.4Msps.cfile": (EXPECTED.tobytes(), FREQUENCY),
    "band_2400ksps.fc32": (EXPECTED.tobytes(), None),
}
NO_SAMPLES = {
    "pointer.sigmf-data": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "git lfs pull"),
    "page.bin": (b"\n<!DOCTYPE html><html><body>Login</body></html>" * 9, "web page"),
    "table.csv": (b"0.125,-0.25\n" * 900, "loadtxt"),
    "notes.txt": (b"The receiver stood on the roof of the house at the lake, next to the mast.\n" * 9, "is text"),
    "a.mat": (b"MATLAB 5.0 MAT-file, Platform: GLNXA64" + bytes(500), "scipy.io.loadmat"),
    "b.mat": (b"MATLAB 7.3 MAT-file, Platform: GLNXA64" + bytes(500), "h5py"),
    "a.h5": (b"\x89HDF\r\n\x1a\n" + bytes(500), "HDF5"),
    "a.flac": (b"fLaC" + bytes(500), "flac -d"),
    "a.png": (b"\x89PNG\r\n\x1a\n" + bytes(500), "PNG"),
    "a.pcap": (b"\xd4\xc3\xb2\xa1" + bytes(500), "pcap"),
    "a.7z": (b"7z\xbc\xaf\x27\x1c" + bytes(500), "7z x a.7z"),
    "a.pkl": (b"\x80\x04\x95" + bytes(500), "pickle"),
    "a.pdf": (b"%PDF-1.7\n" + bytes(500), "PDF"),
    "a.vrt": (
        b"".join(struct.pack(">HHI", 0x1C00 | k % 16 | 0x10 * 0, 66, 7) + bytes(256) for k in range(40)),
        "VITA-49",
    ),
    "nameless.zip": (zipped({"q": b"12"}).replace(b"q", b"\0"), "cannot be unpacked"),
    "two.zip": (zipped({"a.cs8": b"12", "b.cs8": b"12"}), "2 files"),
    "two.sigmf": (tar({**PAIR, "c.sigmf-meta": b"{}", "c.sigmf-data": b"12"}), "2 SigMF recordings"),
    "empty.tar": (tar({"readme.txt": b"12"}), "0 SigMF recordings"),
    "cut.sigmf.gz": (gzip.compress(ARCHIVE)[:900], "cannot be unpacked"),
    "24bit.wav": (wav(fmt(bits=24)), "sox"),
    "no-data.wav": (b"RIFF\x24\0\0\0WAVE" + fmt(), "without samples"),
    "odd.wav": (wav(fmt(channels=0)), "damaged WAV"),
    "objects.npy": (npy(np.array([{}], dtype=object)), "complex64"),
    "image.npy": (npy(np.zeros((40, 50, 3))), "one axis"),
    "half.npy": (npy(np.zeros(50, np.float16)), "complex64"),
    "b.h5": (bytes(2048) + b"\x89HDF\r\n\x1a\n" + bytes(500), "h5py"),
    "user.mat": (b"MATLAB 7.3 MAT-file".ljust(512) + b"\x89HDF\r\n\x1a\n" + bytes(500), "h5py"),
    "old.pkl": (b"\x80\x02]q\x00" + bytes(500), "pickle"),
    "new.pkl": (b"\x80\x05\x95" + bytes(500), "pickle"),
    "big.wav": (b"RIFX" + wav(fmt())[4:], "sox"),
    "a.avi": (b"RIFF\x24\0\0\0AVI " + bytes(500), "another kind"),
    "a.w64": (bytes.fromhex("726966662e91cf11a5d628db04c10000") + bytes(500), "Wave64"),
    "a.au": (b".snd\0\0\0\x20" + bytes(500), "sox"),
    "a.mp4": (b"\0\0\0\x20ftypisom" + bytes(500), "MP4"),
    "exif.jpg": (b"\xff\xd8\xff\xe1\0\x40Exif" + bytes(500), "JPEG"),
    "a.tif": (b"II*\0\x08\0\0\0" + bytes(500), "TIFF"),
    "a.bmp": (b"BM" + struct.pack("<IIIII", 554, 0, 54, 40, 9) + bytes(500), "BMP"),
    "a.lzma": (lzma.compress(bytes(9000), lzma.FORMAT_ALONE), "unlzma"),
    "a.Z": (b"\x1f\x9d\x90" + bytes(500), "gzip -d"),
    "a.parquet": (b"PAR1" + bytes(500), "Parquet"),
    "nano.pcap": (b"\x4d\x3c\xb2\xa1" + bytes(500), "pcap"),
    "mark.html": (b"\xef\xbb\xbf<html><body>Login</body></html>" * 9, "web page"),
    "mark.xml": (b'\xef\xbb\xbf<?xml version="1.0"?>' * 9, "XML"),
    "umlauts.txt": ("Die Antenne hängt über dem Büro.\n".encode() * 400, "is text"),
    "wide.txt": (("The receiver stood on the roof.\n" * 9).encode("utf-16"), "is text"),
    "spaces.csv": (b"0.125 -0.25\n" * 900, r"loadtxt\('spaces.csv'\)"),
    "commas.csv": (b"0,125;-0,25\n" * 900, r"replace.*delimiter=';'"),
    "a.sdriq": (
        (lambda head: head + struct.pack("<I", zlib.crc32(head)))(struct.pack("<IQQII", RATE, FREQUENCY, 1, 16, 0))
        + SHOWN.tobytes(),
        "tail -c",
    ),
    "thrice.gz": (gzip.compress(gzip.compress(gzip.compress(SHOWN.tobytes()))), "more than 2 times"),
    "cut.cs16.gz": (gzip.compress(SHOWN.tobytes())[:-900], "cannot be unpacked"),
    "cut.cs16.xz": (lzma.compress(SHOWN.tobytes())[:-900], "cannot be unpacked"),
    "cut.cs16.bz2": (bz2.compress(SHOWN.tobytes())[:-900], "cannot be unpacked"),
    "cut.npy": (b"\x93NUMPY\x01\x00\xff\xff{'descr'", "damaged"),
    "deep.npy": (b"\x93NUMPY\x01\x00\xff\x00" + b"(" * 255, "damaged"),
}  # fmt: skip


@pytest.fixture
def put(tmp_path):
    """Write a file; returns its path."""

    def write(name, content):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


class TestRead:
    @pytest.mark.parametrize("name", READ)
    def test_as_what_they_are(self, put, name):
        content, frequency = READ[name]
        with open_recording(put(name, content)) as recording:
            assert recording.sample_rate == RATE
            assert recording.center_frequency == frequency
            np.testing.assert_array_equal(recording.read(0, 5000), EXPECTED)
            np.testing.assert_array_equal(recording.read(700, 11), EXPECTED[700:711])

    @pytest.mark.parametrize("name", ["iq.wav", "rf64.wav", "x_fs2.4M.npy"])
    def test_annotations_beside_them_open_with_the_samples(self, put, name):
        with open_recording(put(name, READ[name][0])) as recording:
            output = write_annotations(recording, [carrier(sample_start=5)], recording.path.with_name("out.sigmf-meta"))
        handle = sigmf.fromfile(output)
        handle.validate()
        np.testing.assert_allclose(handle.read_samples(), EXPECTED, atol=1e-7)

    @pytest.mark.parametrize("name", ["band.sigmf", "iq.wav.xz", "g001_1867.5M_2400k.cs16.gz"])
    def test_annotations_beside_what_is_packed_are_metadata_alone(self, put, name):
        with open_recording(put(name, READ[name][0])) as recording:
            output = write_annotations(recording, [], recording.path.with_name("out.sigmf-meta"))
        written = json.loads(output.read_text())
        assert written["global"]["core:metadata_only"] is True and written["global"]["rpmsn:dataset"] == name
        sigmf.SigMFFile(metadata=written).validate()

    @pytest.mark.parametrize("is_detached", [False, True])
    def test_files_of_gnuradios_file_meta_sink(self, tmp_path, is_detached):
        gr = pytest.importorskip("gnuradio.gr", reason="GNU Radio is not installed")
        import pmt
        from gnuradio import blocks

        path = tmp_path / "meta.dat"
        extra = pmt.dict_add(pmt.make_dict(), pmt.intern("rx_freq"), pmt.from_double(FREQUENCY))
        flowgraph = gr.top_block()
        sink = blocks.file_meta_sink(
            8, str(path), RATE, 1.0, blocks.GR_FILE_FLOAT, True, 400, extra, is_detached
        )  # fmt: skip
        flowgraph.connect(blocks.vector_source_c(EXPECTED), sink)
        flowgraph.run()
        del sink, flowgraph
        with open_recording(path) as recording:
            assert (recording.sample_rate, recording.center_frequency) == (RATE, FREQUENCY)
            assert (recording.datatype, len(recording.captures)) == ("cf32_le", 1)
            np.testing.assert_array_equal(recording.read(0, 5000), EXPECTED)

    def test_blue_files(self, put):
        pytest.importorskip("sigmf.convert.blue", reason="sigmf is too old")
        header = bytearray(512)
        header[:12] = b"BLUEEEEIEEEI"
        struct.pack_into("<ddi2s", header, 32, 512.0, float(SHOWN.nbytes), 1000, b"CI")
        struct.pack_into("<ddi", header, 256, 0.0, 1 / RATE, 1)
        with open_recording(put("x.blue", bytes(header) + SHOWN.tobytes())) as recording:
            assert recording.sample_rate == pytest.approx(RATE) and "core:author" not in recording.metadata["global"]
            np.testing.assert_array_equal(recording.read(0, 5000), EXPECTED)
        with pytest.raises(RecordingError, match="BLUE file that the library `sigmf` cannot read"):
            open_recording(put("y.blue", bytes(header[:300])))

    def test_the_time_of_the_name_or_of_auxi_is_kept(self, put):
        for name, time in (
            ("HDSDR_20240501_120307Z_1867500kHz_RF.wav", "2024-05-01T12:03:07+00:00"),
            ("iq.wav", "2024-05-01T12:03:07.412000+00:00"),
        ):
            with open_recording(put(name, READ[name][0])) as recording:
                assert recording.captures[0].datetime.isoformat() == time

    @pytest.mark.parametrize("name", ["pair.zst", "band.cs16.zst"])
    def test_zstandard(self, put, name):
        zstandard = pytest.importorskip("zstandard", reason="zstandard is not installed")
        content = zstandard.compress(ARCHIVE if name == "pair.zst" else SHOWN.tobytes())
        with open_recording(put(name, content), sample_rate=RATE) as recording:
            np.testing.assert_array_equal(recording.read(0, 5000), EXPECTED)

    def test_zstandard_of_several_frames_and_cut_off(self, put):
        zstandard = pytest.importorskip("zstandard", reason="zstandard is not installed")
        raw = SHOWN.tobytes()
        packed = b"".join(zstandard.compress(part) for part in (raw[:1001], b"", raw[1001:]))
        with open_recording(put("band.cs16.zst", packed), sample_rate=RATE) as recording:
            np.testing.assert_array_equal(recording.read(0, 5000), EXPECTED)
        for end in (-1, -900, len(packed) // 3, 10):
            with pytest.raises(RecordingError, match="cannot be unpacked: it is cut off"):
                open_recording(put("cut.cs16.zst", packed[:end]), sample_rate=RATE)

    def test_a_wav_file_that_is_cut_off(self, put):
        with open_recording(put("cut.wav", wav(fmt(), auxi())[:-403])) as recording:
            assert "cut off: 5597 of 6000 bytes" in " ".join(recording.warnings)
            np.testing.assert_array_equal(recording.read(0, 5000), EXPECTED[:1399])

    @pytest.mark.parametrize("name", ["/dev/zero", "/dev/urandom"])
    def test_a_device_is_no_recording(self, name):
        with pytest.raises(RecordingError, match=f"{name} is a device, which has no end"):
            open_recording(name, datatype="ci8", sample_rate=1e6)

    def test_a_compressed_data_file_with_its_metadata_beside_it(self, put):
        put("band.sigmf-meta", json.dumps(metadata()).encode())
        with open_recording(put("band.sigmf-data.gz", gzip.compress(SHOWN.tobytes()))) as recording:
            np.testing.assert_array_equal(recording.read(0, 5000), EXPECTED)

    @pytest.mark.parametrize("channel", [None, 1, 2, 3])
    @pytest.mark.parametrize("datatype, kind", [("ci16_le", "<i2"), ("cf32_be", ">f4"), ("ri16_le", "<i2")])
    def test_one_of_several_channels(self, put, channel, datatype, kind):
        width = 1 if datatype.startswith("r") else 2
        numbers = np.arange(3 * 400 * width).reshape(400, 3, width).astype(kind)
        put("many.sigmf-meta", json.dumps(metadata(datatype=datatype, num_channels=3)).encode())
        put("many.sigmf-data", numbers.tobytes())
        put("one.sigmf-meta", json.dumps(metadata(datatype=datatype)).encode())
        put("one.sigmf-data", numbers[:, (channel or 1) - 1].tobytes())
        path = put("many.sigmf-data", numbers.tobytes())
        with open_recording(path, channel=channel) as many, open_recording(path.with_name("one")) as one:
            assert many.sample_count == one.sample_count and many.channel == (channel or 1)
            np.testing.assert_array_equal(many.read(17, 300), one.read(17, 300))
            np.testing.assert_array_equal(many.read_native(17, 300), one.read_native(17, 300))
            assert any("--channel" in warning for warning in many.warnings) == (channel is None)

    def test_a_channel_that_is_not_there(self, put):
        put("band.sigmf-meta", json.dumps(metadata(num_channels=2)).encode())
        with pytest.raises(RecordingError, match="channel is 3, but .* has 2 channels"):
            open_recording(put("band.sigmf-data", SHOWN.tobytes()), channel=3)
        for channel in (0, -1, 1.5, "two", True):
            with pytest.raises(ParameterError, match="at least 1"):
                open_recording("band", channel=channel)

    def test_a_recording_of_a_collection(self, put):
        put("a.sigmf-meta", json.dumps(metadata()).encode())
        put("a.sigmf-data", SHOWN.tobytes())
        streams = [{"name": "a", "hash": "0"}, {"name": "../b", "hash": "0"}, {"name": "c", "hash": "0"}]
        path = put("set.sigmf-collection", json.dumps({"collection": {"core:streams": streams}}).encode())
        with pytest.raises(RecordingError, match="--channel .1 a; 2 c."):
            open_recording(path)
        with open_recording(path, channel=1) as recording:
            np.testing.assert_array_equal(recording.read(0, 5000), EXPECTED)

    @pytest.mark.parametrize("name", ["fifo", "-"])
    def test_samples_from_a_pipe(self, tmp_path, name):
        if name == "fifo":
            os.mkfifo(tmp_path / "fifo")
            writer = threading.Thread(target=lambda: (tmp_path / "fifo").write_bytes(SHOWN.tobytes()))
            writer.start()
            with open_recording(tmp_path / "fifo", datatype="cs16", sample_rate=RATE) as recording:
                np.testing.assert_array_equal(recording.read(0, 5000), EXPECTED)
            writer.join()
            return
        code = (
            "import sys; sys.path.insert(0, sys.argv[1]); from rpmsn.recording import open_recording\n"
            "print(open_recording('-', datatype='cs16', sample_rate=1e6).sample_count)"
        )
        ended = subprocess.run(
            [sys.executable, "-c", code, str(Path(__file__).resolve().parents[2] / "python")],
            input=SHOWN.tobytes(),
            capture_output=True,
            timeout=PROCESS_S,
        )
        assert ended.stdout.strip() == b"1500", ended.stderr

    def test_digital_rf(self, tmp_path):
        digital_rf = pytest.importorskip("digital_rf", reason="digital_rf is not installed")
        (tmp_path / "ch0").mkdir()
        writer = digital_rf.DigitalRFWriter(
            str(tmp_path / "ch0"),
            np.int16,
            3600,
            1000,
            1_714_564_800 * RATE,
            RATE,
            1,
            "u",
            is_complex=True,
            is_continuous=False,
        )
        writer.rf_write(SHOWN[:600])
        writer.rf_write(SHOWN[600:], 700)
        writer.close()
        with open_recording(tmp_path, center_frequency=FREQUENCY) as recording:
            assert (recording.datatype, recording.sample_rate, recording.sample_count) == ("ci16_le", RATE, 1600)
            assert recording.time_at(0) == (1_714_564_800, 0.0)
            np.testing.assert_array_equal(recording.read(0, 600), EXPECTED[:600])
            assert not recording.read(600, 100).any()
            np.testing.assert_array_equal(recording.read(650, 500)[50:], EXPECTED[600:1050])
            assert any("100 samples are missing" in warning for warning in recording.warnings)


def test_samples_of_any_amplitude_are_no_packets():
    """Big-endian words of small numbers look like headers of packets."""
    rng = np.random.default_rng(1)
    for scale in (1, 3, 30, 200, 1000):
        for kind in ("<i2", ">i2", "<i4", "i1"):
            for _ in range(50):
                values = np.abs(rng.normal(0, scale, 4096)).clip(0, 120 if kind == "i1" else 30000)
                assert kinds.unreadable(values.astype(kind).tobytes()[: kinds.HEAD_BYTES]) is None


class TestNames:
    def test_a_name_that_leaves_no_room_for_an_ending(self, put):
        for length in (255, 250, 245):
            path = put("x" * (length - 5) + ".cs16", SHOWN.tobytes())
            with open_recording(path, sample_rate=RATE) as recording:
                np.testing.assert_array_equal(recording.read(0, 5000), EXPECTED)

    @pytest.mark.parametrize("name", ["*.cs16", ":12.cs16", "?"])
    def test_a_name_that_sigmf_does_not_allow_is_a_hint_for_people(self, put, name):
        with open_recording(put(name, SHOWN.tobytes()), datatype="cs16", sample_rate=RATE) as recording:
            output = write_annotations(recording, [], recording.path.with_name("out.sigmf-meta"))
        written = json.loads(output.read_text())
        assert written["global"]["rpmsn:dataset"] == name and "core:dataset" not in written["global"]
        sigmf.SigMFFile(metadata=written).validate()


class TestSaidInASentence:
    @pytest.mark.parametrize("name", NO_SAMPLES)
    @pytest.mark.parametrize("is_told", [False, True])
    def test_what_it_is_and_how_to_go_on(self, put, name, is_told):
        content, words = NO_SAMPLES[name]
        given = {"datatype": "ci8", "sample_rate": 1e6} if is_told else {}
        with pytest.raises(RecordingError, match=words) as error:
            open_recording(put(name, content), **given)
        assert name in str(error.value)

    @pytest.mark.parametrize("name", ["pointer.sigmf-data", "page.bin", "a.h5"])
    def test_in_the_place_of_the_samples_of_a_sigmf_recording(self, put, name):
        put("band.sigmf-meta", json.dumps(metadata()).encode())
        with pytest.raises(RecordingError, match=NO_SAMPLES[name][1]):
            open_recording(put("band.sigmf-data", NO_SAMPLES[name][0]))

    def test_a_terminal_for_stdin(self, monkeypatch):
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(isatty=lambda: True))
        with pytest.raises(RecordingError, match="stdin is a terminal"):
            open_recording("-", datatype="ci8", sample_rate=1e6)

    @pytest.mark.parametrize("seed", range(20))
    @pytest.mark.parametrize("kind", ["noise8", "noise16", "noise32", "zeros", "tone"])
    def test_samples_are_taken_for_nothing_else(self, put, seed, kind):
        rng = np.random.default_rng(seed)
        samples = {
            "noise8": rng.normal(0, 20, 20_000).astype(np.int8),
            "noise16": rng.normal(0, 300, 20_000).astype(np.int16),
            "noise32": rng.normal(0, 1, 20_000).astype(np.float32),
            "zeros": np.zeros(20_000, np.int8),
            "tone": np.full(20_000, 65 + seed, np.int8),
        }[kind]
        assert kinds.unreadable(samples.tobytes()[: kinds.HEAD_BYTES]) is None

    @pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress, lambda raw: zipped({"a.cs8": raw})])
    def test_what_is_too_large_unpacked_is_refused_before_it_fills_the_disk(self, put, pack, monkeypatch):
        monkeypatch.setattr(stores_module, "LONGEST_UNPACKED", 1 << 20)
        with pytest.raises(RecordingError, match="unpack it first"):
            open_recording(put("bomb.bin", pack(bytes(3 << 20))), datatype="ci8", sample_rate=1e6)

    def test_an_archive_writes_nothing(self, put, tmp_path):
        meta = json.dumps(metadata(dataset="/etc/passwd")).encode()
        path = put("evil.sigmf", tar({"../../x.sigmf-meta": meta, "../../x.sigmf-data": SHOWN.tobytes()}))
        before = sorted(tmp_path.parent.rglob("*"))
        with open_recording(path) as recording:
            np.testing.assert_array_equal(recording.read(0, 5000), EXPECTED)
        assert sorted(tmp_path.parent.rglob("*")) == before


class TestSampleFormats:
    @pytest.mark.parametrize("name", FORMATS)
    def test_every_format_of_sigmf(self, put, name):
        kind = FORMATS[name]
        rng = np.random.default_rng(3)
        if kind.component.kind == "f":
            numbers = rng.normal(0, 0.1, 4000).astype(kind.component)
        else:
            limits = np.iinfo(kind.component)
            numbers = rng.integers(limits.min, limits.max, 4000, endpoint=True, dtype=kind.component.newbyteorder("="))
            numbers = numbers.astype(kind.component)
        values = (numbers.astype(np.float64) - kind.zero) / kind.full_scale
        with open_recording(put("x.bin", numbers.tobytes()), datatype=name, sample_rate=1e6) as recording:
            samples = recording.read(0, 4000)
            native = recording.read_native(100, 50)
            assert native.dtype == recording.native_type and native.dtype.isnative and len(native) == 50
        assert len(samples) == 2000
        if kind.is_complex:
            np.testing.assert_allclose(samples, values[0::2] + 1j * values[1::2], atol=2e-7)
        else:
            # Of white noise half of the power is at positive frequencies, which have twice the amplitude.
            assert np.mean(np.abs(samples[100:-100]) ** 2) == pytest.approx(2 * np.mean(values**2), rel=0.05)

    @pytest.mark.parametrize("part", [0.03, 0.1, 0.25, 0.31, 0.47])
    def test_real_samples_are_their_spectrum_up_to_half_the_rate(self, put, part):
        samples = np.cos(2 * np.pi * part * np.arange(20_001)).astype("<f4")
        with open_recording(put("x.f32", samples.tobytes()), sample_rate=8e6) as recording:
            assert (recording.sample_rate, recording.center_frequency, recording.sample_count) == (4e6, 2e6, 10_000)
            read = recording.read(0, 20_000)
            pieces = np.concatenate([recording.read(start, 77) for start in range(0, 10_000, 77)])
        np.testing.assert_allclose(pieces, read, atol=1e-5)
        spectrum = np.abs(np.fft.fft(read[1000:9000] * np.hanning(8000))) ** 2
        at = int(spectrum.argmax())
        assert np.fft.fftfreq(8000, 1 / 4e6)[at] + 2e6 == pytest.approx(part * 8e6, abs=501)
        assert abs(at - 4000) < 4 or spectrum[-at] < 1e-6 * spectrum[at] or part == 0.25

    def test_annotations_of_real_samples_count_those_of_the_file(self, put):
        mine = [{"core:sample_start": 100, "core:sample_count": 40, "core:label": "mine"}]
        put("x.sigmf-meta", json.dumps({**metadata(datatype="ri8"), "annotations": mine}).encode())
        with open_recording(put("x.sigmf-data", bytes(4000))) as recording:
            assert recording.center_frequency == FREQUENCY
            assert recording.annotations[0]["core:sample_start"] == 50
            output = write_annotations(recording, [carrier(sample_start=5)], recording.path.with_name("out.sigmf-meta"))
        (entry,) = sigmf.fromfile(output).get_annotations()
        assert (entry["core:sample_start"], entry["core:sample_count"]) == (10, 60)

    @pytest.mark.parametrize(
        "typed, name",
        [
            ("cs16", "ci16_le"), ("sc16", "ci16_le"), ("CI16", "ci16_le"), ("ci16-le", "ci16_le"),
            ("ic16", "ci16_le"),
            ("cs8", "ci8"), ("sc8", "ci8"), ("CS8", "ci8"), ("ci8_le", "ci8"), ("uc8", "cu8"), ("CU8", "cu8"),
            ("fc32", "cf32_le"), ("CF32", "cf32_le"), ("cfile", "cf32_le"), ("complex64", "cf32_le"),
            ("fc64", "cf64_le"),
            ("cf32be", "cf32_be"), ("cs32", "ci32_le"), ("cu16", "cu16_le"), ("float32", "rf32_le"), ("s16", "ri16_le"),
            ("int16", "ri16_le"), ("short", "ri16_le"), ("u8", "ru8"), (" cf32 ", "cf32_le"),
        ],
    )  # fmt: skip
    def test_names_as_people_type_them(self, typed, name):
        assert sample_format(typed).name == name

    @pytest.mark.parametrize("typed", ["", "c", "ci24", "cf16", "x16", "c16i", None, 5, "ci16_me"])
    def test_names_that_are_none(self, typed):
        with pytest.raises(RecordingError, match="ci8, cu8, ci16_le, cf32_le"):
            sample_format(typed)


class TestNames:
    @pytest.mark.parametrize(
        "name, rate, frequency",
        [
            ("band_2.6GHz", None, None),
            ("lte_20MHz_1842.5MHz.cs16", None, None),
            ("a_fs1M_fs2M.cs8", None, None),
            ("SDRconnect_IQ_20240501_120307_1867500000HZ.wav", None, 1867.5e6),
            ("g12_433.92M_250k.cu8", 250e3, 433.92e6),
            ("x-rate=19.2M-freq=806M.c8", 19.2e6, 806e6),
            ("x_30.72Msps.cs16", 30.72e6, None),
            ("x_2400000sps_fc1867500000.raw", 2.4e6, 1867.5e6),
        ],
    )
    def test_only_what_is_said_clearly_is_taken(self, name, rate, frequency):
        said = names.read_name(Path(name))
        assert (said.sample_rate, said.center_frequency) == (rate, pytest.approx(frequency) if frequency else None)

    def test_what_was_taken_from_a_name_is_told(self, put):
        with open_recording(put("g1_433.92M_2400k.cu8", bytes(200))) as recording:
            assert any("read from the file's name" in warning for warning in recording.warnings)

    def test_what_is_given_overrules_the_name(self, put):
        path = put("g1_433.92M_2400k.cu8", bytes(200))
        with open_recording(path, datatype="ci8", sample_rate=1e6, center_frequency=5e8) as recording:
            found = recording.datatype, recording.sample_rate, recording.center_frequency
            assert found == ("ci8", 1e6, 5e8)


def test_a_zip_with_a_wrong_sum_says_so(put):
    raw = bytearray(zipped({"a.cs8": np.random.default_rng(1).bytes(3000)}))
    raw[500] ^= 0xFF
    with pytest.raises(RecordingError, match="cannot be unpacked"):
        open_recording(put("a.zip", bytes(raw)), sample_rate=1e6)


def test_only_what_is_not_given_is_said_to_be_from_the_name(tmp_path):
    path = tmp_path / "x_1850M_2400k.cs16"
    np.zeros(2000, np.int16).tofile(path)
    with open_recording(path, sample_rate=1e6) as recording:
        (warning,) = recording.warnings
    assert "format ci16_le, centre frequency 1850 MHz: read" in warning and "rate 2.4" not in warning
    with open_recording(path, datatype="ci16", sample_rate=1e6, center_frequency=1e9) as recording:
        assert recording.warnings == []
