# SPDX-License-Identifier: GPL-3.0-or-later
"""SIB1 of NR (TS 38.331 6.2.2), up to the carriers of the cell: whose cell it is, and how wide its carrier."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from .nr import N_RB, SSB_SUBCARRIERS
from .uper import EncodingError, Enumerated, Integer, List, Reader, Sequence, Writer

_OPTIONAL_TRUE = Enumerated(1)
_RX_LEVEL = Integer(-70, -22)
_CELL_SELECTION = Sequence(
    ("q-RxLevMin", _RX_LEVEL),
    ("q-RxLevMinOffset?", Integer(1, 8)),
    ("q-RxLevMinSUL?", _RX_LEVEL),
    ("q-QualMin?", Integer(-43, -12)),
    ("q-QualMinOffset?", Integer(1, 8)),
)
_DIGIT = Integer(0, 9)
_PLMN = Sequence(("mcc?", List(_DIGIT, 3, 3)), ("mnc", List(_DIGIT, 2, 3)))
_PLMN_INFO = Sequence(
    ("plmn-IdentityList", List(_PLMN, 1, 12)),
    ("trackingAreaCode?", Integer(0, 2**24 - 1)),
    ("ranac?", Integer(0, 255)),
    ("cellIdentity", Integer(0, 2**36 - 1)),
    ("cellReservedForOperatorUse", Enumerated(2)),
    extensible=True,
)
_ACCESS = Sequence(
    ("plmn-IdentityInfoList", List(_PLMN_INFO, 1, 12)), ("cellReservedForOtherUse?", _OPTIONAL_TRUE), extensible=True
)
_FAILURE_CONTROL = Sequence(
    ("connEstFailCount", Enumerated(4)),
    ("connEstFailOffsetValidity", Enumerated(8)),
    ("connEstFailOffset?", Integer(0, 15)),
)
_SIB_TYPE = Sequence(
    ("type", Enumerated(16, extensible=True)), ("valueTag?", Integer(0, 31)), ("areaScope?", _OPTIONAL_TRUE)
)
_SCHEDULING = Sequence(
    ("si-BroadcastStatus", Enumerated(2)),
    ("si-Periodicity", Enumerated(7)),
    ("sib-MappingInfo", List(_SIB_TYPE, 1, 32)),
)
_RANDOM_ACCESS = Sequence(
    ("prach-ConfigurationIndex", Integer(0, 255)),
    ("msg1-FDM", Enumerated(4)),
    ("msg1-FrequencyStart", Integer(0, 274)),
    ("zeroCorrelationZoneConfig", Integer(0, 15)),
    ("preambleReceivedTargetPower", Integer(-202, -60)),
    ("preambleTransMax", Enumerated(11)),
    ("powerRampingStep", Enumerated(4)),
    ("ra-ResponseWindow", Enumerated(8)),
    extensible=True,
)
_REQUEST = Sequence(
    ("rach-OccasionsSI?", Sequence(("rach-ConfigSI", _RANDOM_ACCESS), ("ssb-perRACH-Occasion", Enumerated(8)))),
    ("si-RequestPeriod?", Enumerated(8)),
    (
        "si-RequestResources",
        List(
            Sequence(
                ("ra-PreambleStartIndex", Integer(0, 63)),
                ("ra-AssociationPeriodIndex?", Integer(0, 15)),
                ("ra-ssb-OccasionMaskIndex?", Integer(0, 15)),
            ),
            1,
            32,
        ),
    ),
)
_SI_SCHEDULING = Sequence(
    ("schedulingInfoList", List(_SCHEDULING, 1, 32)),
    ("si-WindowLength", Enumerated(12)),
    ("si-RequestConfig?", _REQUEST),
    ("si-RequestConfigSUL?", _REQUEST),
    ("systemInformationAreaID?", Integer(0, 2**24 - 1)),
    extensible=True,
)
_BAND = Sequence(
    ("freqBandIndicatorNR?", Integer(1, 1024)),
    (
        "nr-NS-PmaxList?",
        List(Sequence(("additionalPmax?", Integer(-30, 33)), ("additionalSpectrumEmission", Integer(0, 7))), 1, 8),
    ),
)
_CARRIER = Sequence(
    ("offsetToCarrier", Integer(0, 2199)),
    ("subcarrierSpacing", Enumerated(8)),
    ("carrierBandwidth", Integer(1, 275)),
    extensible=True,
)
_FREQUENCY_INFO = Sequence(
    ("frequencyBandList", List(_BAND, 1, 8)),
    ("offsetToPointA", Integer(0, 2199)),
    ("scs-SpecificCarrierList", List(_CARRIER, 1, 5)),
)
_TDD = "tdd-UL-DL-ConfigurationCommon"
_SERVING_CELL = Sequence(
    ("downlinkConfigCommon", Sequence(("frequencyInfoDL", _FREQUENCY_INFO), extensible=True, is_cut=True)),
    extensible=True,
    unread=("uplinkConfigCommon", "supplementaryUplink", "n-TimingAdvanceOffset", _TDD),
)
_BEHIND = (
    "ims-EmergencySupport", "eCallOverIMS-Support", "ue-TimersAndConstants", "uac-BarringInfo", "useFullResumeID",
    "lateNonCriticalExtension", "nonCriticalExtension",
)  # fmt: skip
_SIB1 = Sequence(
    ("cellSelectionInfo?", _CELL_SELECTION),
    ("cellAccessRelatedInfo", _ACCESS),
    ("connEstFailureControl?", _FAILURE_CONTROL),
    ("si-SchedulingInfo?", _SI_SCHEDULING),
    ("servingCellConfigCommon?", _SERVING_CELL),
    unread=_BEHIND,
)
_CHOICES, _IS_SIB1 = 2, 1
"""Bits before it: a message of a known class, which is SIB1 and not another system information."""


@dataclass(frozen=True)
class Carrier:
    """A carrier of the cell for one subcarrier spacing.

    Attributes:
        offset: resource blocks from point A to the carrier's lowest one.
        subcarrier_spacing: Hz.
        blocks: its resource blocks.
    """

    offset: int
    subcarrier_spacing: float
    blocks: int


@dataclass(frozen=True)
class Sib1:
    """What a SIB1 says of its cell.

    Attributes:
        plmns: networks that the cell belongs to, country and network code as `00101`, the primary one first.
        tac: tracking area code; None without one.
        nci: NR cell identity, 36 bits.
        bands: numbers of the bands.
        offset_to_point_a: resource blocks of 15 kHz subcarriers from point A to the lowest one that the SS/PBCH block
            overlaps.
        carriers: of each subcarrier spacing.
        is_tdd: the cell says which slots are uplink.
    """

    plmns: tuple[str, ...]
    tac: int | None
    nci: int
    bands: tuple[int, ...] = ()
    offset_to_point_a: int = 0
    carriers: tuple[Carrier, ...] = ()
    is_tdd: bool = False

    @classmethod
    def of_bits(cls, bits: np.ndarray) -> "Sib1 | None":
        """Of a transport block, uint8; None where it is no SIB1."""
        reader = Reader(bits)
        try:
            if reader.number(_CHOICES) != _IS_SIB1:
                return None
            value = _SIB1.read(reader)
        except EncodingError:
            return None
        return cls._of(value)

    @classmethod
    def _of(cls, value: dict[str, Any]) -> "Sib1":
        networks = value["cellAccessRelatedInfo"]["plmn-IdentityInfoList"]
        serving = value.get("servingCellConfigCommon", {})
        info = serving.get("downlinkConfigCommon", {}).get("frequencyInfoDL", {})
        bands = (band.get("freqBandIndicatorNR") for band in info.get("frequencyBandList", ()))
        return cls(
            plmns=tuple(dict.fromkeys(_plmns(networks))),
            tac=next((one["trackingAreaCode"] for one in networks if "trackingAreaCode" in one), None),
            nci=networks[0]["cellIdentity"],
            bands=tuple(band for band in bands if band is not None),
            offset_to_point_a=info.get("offsetToPointA", 0),
            carriers=tuple(
                Carrier(one["offsetToCarrier"], 15e3 * 2 ** one["subcarrierSpacing"], one["carrierBandwidth"])
                for one in info.get("scs-SpecificCarrierList", ())
            ),
            is_tdd=_TDD in serving,
        )

    def bits(self) -> np.ndarray:
        """The message up to the carriers, uint8; a whole one goes on."""
        networks = [[int(digit) for digit in plmn] for plmn in self.plmns]
        access = {
            "plmn-IdentityList": [{"mcc": digits[:3], "mnc": digits[3:]} for digits in networks],
            "cellIdentity": self.nci,
            "cellReservedForOperatorUse": 1,
        }
        if self.tac is not None:
            access["trackingAreaCode"] = self.tac
        info = {
            "frequencyBandList": [{"freqBandIndicatorNR": band} for band in self.bands] or [{}],
            "offsetToPointA": self.offset_to_point_a,
            "scs-SpecificCarrierList": [
                {
                    "offsetToCarrier": one.offset,
                    "subcarrierSpacing": round(np.log2(one.subcarrier_spacing / 15e3)),
                    "carrierBandwidth": one.blocks,
                }
                for one in self.carriers
            ],
        }
        serving = {"downlinkConfigCommon": {"frequencyInfoDL": info}, "uplinkConfigCommon": True}
        value = {
            "cellSelectionInfo": {"q-RxLevMin": -65},
            "cellAccessRelatedInfo": {"plmn-IdentityInfoList": [access]},
            "servingCellConfigCommon": {**serving, _TDD: True} if self.is_tdd else serving,
        }
        writer = Writer()
        writer.number(_IS_SIB1, _CHOICES)
        _SIB1.write(writer, value)
        return np.array(writer.bits, np.uint8)

    def carrier_edges(self, ssb_frequency: float, spacing: float, k_ssb: int) -> tuple[float, float] | None:
        """Lower and upper edge of the carrier, Hz, from its lowest resource block to its highest: TS 38.211 4.4.4.2.

        Args:
            ssb_frequency: middle of the cell's SS/PBCH block, Hz.
            spacing: of the block's subcarriers, Hz; of several carriers, the one with this spacing is meant.
            k_ssb: of the MIB.
        """
        carrier = self.carrier(spacing)
        if carrier is None:
            return None
        block = 12 * carrier.subcarrier_spacing
        point_a = ssb_frequency - SSB_SUBCARRIERS / 2 * spacing - k_ssb * 15e3 - self.offset_to_point_a * 180e3
        lower = point_a + carrier.offset * block
        return lower, lower + carrier.blocks * block

    def carrier(self, spacing: float) -> Carrier | None:
        """The carrier with a subcarrier spacing; else the widest one; None without any."""
        widest = sorted(self.carriers, key=lambda one: -one.blocks * one.subcarrier_spacing)
        return next((one for one in widest if one.subcarrier_spacing == spacing), widest[0] if widest else None)

    def channel_bandwidth(self, spacing: float) -> float | None:
        """Hz of the channel with so many resource blocks; None where no channel has as many: TS 38.104 5.3.2."""
        carrier = self.carrier(spacing)
        widths = N_RB.get(carrier.subcarrier_spacing, {}) if carrier else {}
        return next((width for width, blocks in widths.items() if carrier and blocks == carrier.blocks), None)


def _plmns(networks):
    """The networks of a list, as digits. Without a country's code, the one before it holds."""
    country: list[int] = []
    for one in networks:
        for plmn in one["plmn-IdentityList"]:
            country = plmn.get("mcc", country)
            yield "".join(map(str, [*country, *plmn["mnc"]]))
