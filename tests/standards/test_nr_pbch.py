# SPDX-License-Identifier: GPL-3.0-or-later
"""MIB and frame number <-> bits of a PBCH. What other encoders sent decodes in tests/cells/test_nr_search.py."""

import numpy as np
import pytest

from rpmsn.errors import ParameterError
from rpmsn.standards import nr_pbch, polar
from rpmsn.standards.nr_pbch import Mib
from rpmsn.standards.sequences import gold

MIB = Mib(
    frame=0b1010110011,
    half_frame=1,
    subcarrier_spacing_common=1,
    ssb_subcarrier_offset=0b10110,
    dmrs_position=3,
    pdcch_config_sib1=0b11000101,
    cell_barred=True,
    intra_frequency_reselection=False,
)


def random_mib(rng):
    return Mib(
        int(rng.integers(1024)), int(rng.integers(2)), int(rng.integers(2)), int(rng.integers(32)),
        int(rng.integers(2, 4)), int(rng.integers(256)), bool(rng.integers(2)), bool(rng.integers(2)),
    )  # fmt: skip


def test_the_payload_has_its_fields_in_the_standards_order():
    """BCCH-BCH-Message of TS 38.331 6.2.2 with enumerations by their order, then TS 38.212 7.1.1."""
    mib = "0" + "101011" + "1" + "0110" + "1" + "11000101" + "0" + "1" + "0"
    assert "".join(map(str, MIB.payload())) == mib + "0011" + "1" + "100"


def test_fields_come_back():
    rng = np.random.default_rng(1)
    for _ in range(50):
        mib = random_mib(rng)
        assert Mib.of_payload(mib.payload()) == mib


def test_fields_have_the_names_of_the_standard():
    assert MIB.fields() == {
        "systemFrameNumber": 691,
        "halfFrame": 1,
        "subCarrierSpacingCommon": "scs30or120",
        "ssb-SubcarrierOffset": 22,
        "dmrs-TypeA-Position": "pos3",
        "controlResourceSetZero": 12,
        "searchSpaceZero": 5,
        "cellBarred": True,
        "intraFreqReselection": False,
    }


def test_a_payload_that_is_no_mib_is_none():
    assert Mib.of_payload([1] + [0] * 31) is None


@pytest.mark.parametrize("name, value", [("frame", 1024), ("half_frame", 2), ("dmrs_position", 1)])
def test_a_field_out_of_range_is_refused(name, value):
    with pytest.raises(ParameterError, match=f"{name} of Mib is {value}; choose"):
        Mib(**{name: value})


def interleaved_by_definition(payload):
    """The loop of TS 38.212 7.1.1."""
    places = nr_pbch.PAYLOAD_PLACES
    sfn, half_frame, index, other = 0, 10, 11, 14
    out = np.zeros(32, int)
    for i, bit in enumerate(payload):
        if 1 <= i <= 6 or 24 <= i <= 27:
            out[places[sfn]], sfn = bit, sfn + 1
        elif i == 28:
            out[places[half_frame]] = bit
        elif i >= 29:
            out[places[index]], index = bit, index + 1
        else:
            out[places[other]], other = bit, other + 1
    return out


def scrambled_by_definition(interleaved, cell_id, frame):
    """The loop of TS 38.212 7.1.2 with 4 or 8 blocks a burst."""
    version = {(0, 0): 0, (0, 1): 1, (1, 0): 2, (1, 1): 3}[frame >> 2 & 1, frame >> 1 & 1]
    sequence, j, out = gold(cell_id, 200), 0, []
    third, second, half_frame = (nr_pbch.PAYLOAD_PLACES[i] for i in (7, 8, 10))
    for i, bit in enumerate(interleaved):
        if i in (third, second, half_frame):
            out.append(bit)
        else:
            out.append(bit ^ sequence[j + version * 29])
            j += 1
    return out


@pytest.mark.parametrize("frame", [0, 2, 4, 6, 691, 1023])
def test_interleaving_and_scrambling_follow_their_definition(frame):
    payload = Mib(frame=frame, pdcch_config_sib1=99).payload()
    expected = scrambled_by_definition(interleaved_by_definition(payload), 321, frame)
    scrambled = nr_pbch.scramble(payload, 321, frame)
    assert scrambled.tolist() == [int(bit) for bit in expected]
    assert np.array_equal(nr_pbch.descramble(scrambled, 321), payload)


@pytest.mark.parametrize("index", range(8))
def test_every_block_index_has_its_scrambling(index):
    bits = nr_pbch.encode(MIB, 1007, index) ^ gold(1007, 8 * 864)[864 * index :][:864]
    decoded = polar.decode(1 - 2.0 * bits[None])[0]
    assert Mib.of_payload(nr_pbch.descramble(decoded, 1007)) == MIB


def test_what_changes_from_block_to_block_does_not_depend_on_the_payload():
    rng = np.random.default_rng(2)
    for _ in range(20):
        mib = random_mib(rng)
        later = int(rng.integers(mib.frame, mib.frame // 16 * 16 + 16))
        half = int(rng.integers(2))
        other = Mib(**{**vars(mib), "frame": later, "half_frame": half})
        changed = nr_pbch.encode(mib, 77, 2) ^ nr_pbch.encode(other, 77, 2)
        assert np.array_equal(changed, nr_pbch.change(77, (mib.frame, later), (mib.half_frame, half)))
