# SPDX-License-Identifier: GPL-3.0-or-later
"""Every key of every message, named once.

`SEGMENT_KEYS`, `FRAME_KEYS` and `STATUS_KEYS` are what a reader of each port may count on.
"""

# Ports
SEGMENTS = "segments"
FRAMES = "frames"
STATUS = "status"

# On more than one port
PDU_NUM = "pdu_num"  # uint64, number of the frame
CENTER_FREQUENCY = "center_frequency"  # double, Hz; of a segment: its middle. Of a frame: 0.0 where unknown
SAMPLE_RATE = "sample_rate"  # double, Hz
START_OFFSET = "start_offset"  # uint64, samples since the stream began
END_OFFSET = "end_offset"  # uint64, first sample after
RX_TIME = "rx_time"  # tuple (uint64 whole s, double fraction), UTC since 1970
TIME_SOURCE = "time_source"  # symbol, one of TIME_SOURCES
DURATION = "duration"  # double, s
MODEL = "model"  # symbol
HEALTH = "health"  # symbol, HEALTH_OK or what is wrong with the input, in words

TIME_SOURCES = ("radio", "file", "host")

# Segment
LABEL = "label"  # symbol, a name of rpmsn.classes.CLASS_NAMES
CLASS_ID = "class_id"  # long
CONFIDENCE = "confidence"  # double, 0..1
BANDWIDTH = "bandwidth"  # double, Hz
FREQ_LOWER = "freq_lower"  # double, Hz, absolute where the centre frequency is known
FREQ_UPPER = "freq_upper"  # double, Hz, likewise
SNR_DB = "snr_db"  # double, dB
PWR_DB = "pwr_db"  # double, dB
BURST_ID = "burst_id"  # uint64, the carrier
EVENT = "event"  # symbol, one of EVENTS

EVENTS = ("new", "update", "gone")

# Frame; its payload is the image, uint8, row-major, first row = first in time, first column = lowest frequency
ROWS = "rows"  # long
COLUMNS = "columns"  # long
MASK = "mask"  # u8vector of rows * columns class ids, in the order of the payload
CLASSES = "classes"  # vector of symbols, index = class id
DB_MIN = "db_min"  # double, dB above the frame's noise floor where the image is 0
DB_MAX = "db_max"  # double, likewise where the image is 255
NOISE_FLOOR_DB = "noise_floor_db"  # double, dB

# Status
MODE = "mode"  # symbol, "live" or "replay"
INPUT_RATE = "input_rate"  # double, samples per second of clock, as they come in
SAMPLES_RECEIVED = "samples_received"  # uint64
SAMPLES_ANALYSED = "samples_analysed"  # uint64
SAMPLES_DROPPED = "samples_dropped"  # uint64, not analysed: late, failed, or too few left over
SAMPLES_SKIPPED = "samples_skipped"  # uint64, left out on purpose: duty cycle
SAMPLES_LOST = "samples_lost"  # uint64, gaps: lost by the radio
FRAMES_ANALYSED = "frames_analysed"  # uint64
FRAMES_DROPPED = "frames_dropped"  # uint64
OVERFLOWS = "overflows"  # uint64, gaps so far
COVERAGE = "coverage"  # double, 0..1
REAL_TIME_FACTOR = "real_time_factor"  # double, seconds of signal per second of clock
QUEUE = "queue"  # long, frames that wait
LATENCY = "latency"  # double, s
INFERENCE_TIME = "inference_time"  # double, s a frame
RUNTIME = "runtime"  # symbol
ERROR = "error"  # symbol, only when something failed

HEALTH_OK = "ok"

# Command to a source, on the port of the same name
FREQ = "freq"  # double, Hz

SEGMENT_KEYS = (
    LABEL,
    CLASS_ID,
    CONFIDENCE,
    CENTER_FREQUENCY,
    BANDWIDTH,
    FREQ_LOWER,
    FREQ_UPPER,
    START_OFFSET,
    END_OFFSET,
    RX_TIME,
    TIME_SOURCE,
    DURATION,
    SAMPLE_RATE,
    SNR_DB,
    PWR_DB,
    BURST_ID,
    EVENT,
    PDU_NUM,
    MODEL,
    HEALTH,
)
FRAME_KEYS = (
    PDU_NUM,
    ROWS,
    COLUMNS,
    MASK,
    CLASSES,
    CENTER_FREQUENCY,
    SAMPLE_RATE,
    START_OFFSET,
    END_OFFSET,
    RX_TIME,
    TIME_SOURCE,
    DURATION,
    DB_MIN,
    DB_MAX,
    NOISE_FLOOR_DB,
    MODEL,
)
STATUS_KEYS = (
    MODE,
    SAMPLE_RATE,
    CENTER_FREQUENCY,
    INPUT_RATE,
    SAMPLES_RECEIVED,
    SAMPLES_ANALYSED,
    SAMPLES_DROPPED,
    SAMPLES_SKIPPED,
    SAMPLES_LOST,
    FRAMES_ANALYSED,
    FRAMES_DROPPED,
    OVERFLOWS,
    COVERAGE,
    REAL_TIME_FACTOR,
    QUEUE,
    LATENCY,
    INFERENCE_TIME,
    MODEL,
    RUNTIME,
    HEALTH,
)

UINT64_KEYS = frozenset(
    {
        PDU_NUM,
        START_OFFSET,
        END_OFFSET,
        BURST_ID,
        SAMPLES_RECEIVED,
        SAMPLES_ANALYSED,
        SAMPLES_DROPPED,
        SAMPLES_SKIPPED,
        SAMPLES_LOST,
        FRAMES_ANALYSED,
        FRAMES_DROPPED,
        OVERFLOWS,
    }
)
"""Whole numbers that are sent as uint64; other whole numbers are sent as long."""

DOUBLE_KEYS = frozenset(
    {
        CENTER_FREQUENCY,
        SAMPLE_RATE,
        DURATION,
        CONFIDENCE,
        BANDWIDTH,
        FREQ_LOWER,
        FREQ_UPPER,
        SNR_DB,
        PWR_DB,
        DB_MIN,
        DB_MAX,
        NOISE_FLOOR_DB,
        INPUT_RATE,
        COVERAGE,
        REAL_TIME_FACTOR,
        LATENCY,
        INFERENCE_TIME,
        FREQ,
    }
)
"""Numbers that are sent as double even when a caller holds a whole number."""
