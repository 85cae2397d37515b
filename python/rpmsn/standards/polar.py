# SPDX-License-Identifier: GPL-3.0-or-later
"""Polar coding of NR's downlink: TS 38.212 5.1, 5.3.1, 5.4.1; encoder, and a list decoder aided by the CRC.

Of the broadcast channel with 32 bits, and of downlink control information.
"""

from functools import lru_cache

import numpy as np

from ..errors import ParameterError
from .crc import CRC24C

N = 512
"""Bits of a codeword before rate matching."""
PAYLOAD_BITS, CRC_BITS, RATE_MATCHED_BITS = 32, 24, 864


RELIABILITY = np.array((
    0, 1, 2, 4, 8, 16, 32, 3, 5, 64, 9, 6, 17, 10, 18, 128, 12, 33, 65, 20, 256, 34, 24, 36, 7, 129, 66, 11, 40, 68,
    130, 19, 13, 48, 14, 72, 257, 21, 132, 35, 258, 26, 80, 37, 25, 22, 136, 260, 264, 38, 96, 67, 41, 144, 28, 69,
    42, 49, 74, 272, 160, 288, 192, 70, 44, 131, 81, 50, 73, 15, 320, 133, 52, 23, 134, 384, 76, 137, 82, 56, 27, 97,
    39, 259, 84, 138, 145, 261, 29, 43, 98, 88, 140, 30, 146, 71, 262, 265, 161, 45, 100, 51, 148, 46, 75, 266, 273,
    104, 162, 53, 193, 152, 77, 164, 268, 274, 54, 83, 57, 112, 135, 78, 289, 194, 85, 276, 58, 168, 139, 99, 86, 60,
    280, 89, 290, 196, 141, 101, 147, 176, 142, 321, 31, 200, 90, 292, 322, 263, 149, 102, 105, 304, 296, 163, 92, 47,
    267, 385, 324, 208, 386, 150, 153, 165, 106, 55, 328, 113, 154, 79, 269, 108, 224, 166, 195, 270, 275, 291, 59,
    169, 114, 277, 156, 87, 197, 116, 170, 61, 281, 278, 177, 293, 388, 91, 198, 172, 120, 201, 336, 62, 282, 143,
    103, 178, 294, 93, 202, 323, 392, 297, 107, 180, 151, 209, 284, 94, 204, 298, 400, 352, 325, 155, 210, 305, 300,
    109, 184, 115, 167, 225, 326, 306, 157, 329, 110, 117, 212, 171, 330, 226, 387, 308, 216, 416, 271, 279, 158, 337,
    118, 332, 389, 173, 121, 199, 179, 228, 338, 312, 390, 174, 393, 283, 122, 448, 353, 203, 63, 340, 394, 181, 295,
    285, 232, 124, 205, 182, 286, 299, 354, 211, 401, 185, 396, 344, 240, 206, 95, 327, 402, 356, 307, 301, 417, 213,
    186, 404, 227, 418, 302, 360, 111, 331, 214, 309, 188, 449, 217, 408, 229, 159, 420, 310, 333, 119, 339, 218, 368,
    230, 391, 313, 450, 334, 233, 175, 123, 341, 220, 314, 424, 395, 355, 287, 183, 234, 125, 342, 316, 241, 345, 452,
    397, 403, 207, 432, 357, 187, 236, 126, 242, 398, 346, 456, 358, 405, 303, 244, 189, 361, 215, 348, 419, 406, 464,
    362, 409, 219, 311, 421, 410, 231, 248, 369, 190, 364, 335, 480, 315, 221, 370, 422, 425, 451, 235, 412, 343, 372,
    317, 222, 426, 453, 237, 433, 347, 243, 454, 318, 376, 428, 238, 359, 457, 399, 434, 349, 245, 458, 363, 127, 191,
    407, 436, 465, 246, 350, 460, 249, 411, 365, 440, 374, 423, 466, 250, 371, 481, 413, 366, 468, 429, 252, 373, 482,
    427, 414, 223, 472, 455, 377, 435, 319, 484, 430, 488, 239, 378, 459, 437, 380, 461, 496, 351, 467, 438, 251, 462,
    442, 441, 469, 247, 367, 253, 375, 444, 470, 483, 415, 485, 473, 474, 254, 379, 431, 489, 486, 476, 439, 490, 463,
    381, 497, 492, 443, 382, 498, 445, 471, 500, 446, 475, 487, 504, 255, 477, 491, 478, 383, 493, 499, 502, 494, 501,
    447, 505, 506, 479, 508, 495, 503, 507, 509, 510, 511,
))  # fmt: skip
"""Bit channels below 512, least reliable first: TS 38.212 table 5.3.1.2-1."""

INTERLEAVER = np.array((
    0, 2, 4, 7, 9, 14, 19, 20, 24, 25, 26, 28, 31, 34, 42, 45, 49, 50, 51, 53, 54, 56, 58, 59, 61, 62, 65, 66, 67, 69,
    70, 71, 72, 76, 77, 81, 82, 83, 87, 88, 89, 91, 93, 95, 98, 101, 104, 106, 108, 110, 111, 113, 115, 118, 119, 120,
    122, 123, 126, 127, 129, 132, 134, 138, 139, 140, 1, 3, 5, 8, 10, 15, 21, 27, 29, 32, 35, 43, 46, 52, 55, 57, 60,
    63, 68, 73, 78, 84, 90, 92, 94, 96, 99, 102, 105, 107, 109, 112, 114, 116, 121, 124, 128, 130, 133, 135, 141, 6,
    11, 16, 22, 30, 33, 36, 44, 47, 64, 74, 79, 85, 97, 100, 103, 117, 125, 131, 136, 142, 12, 17, 23, 37, 48, 75, 80,
    86, 137, 143, 13, 18, 38, 144, 39, 145, 40, 146, 41, 147, 148, 149, 150, 151, 152, 153, 154, 155, 156, 157, 158,
    159, 160, 161, 162, 163,
))  # fmt: skip
"""Pattern of the interleaver of 164 bits: TS 38.212 table 5.3.1.1-1."""

SUB_BLOCKS = np.array((
    0, 1, 2, 4, 3, 5, 6, 7, 8, 16, 9, 17, 10, 18, 11, 19, 12, 20, 13, 21, 14, 22, 15, 23, 24, 25, 26, 28, 27, 29, 30,
    31,
))  # fmt: skip
"""Pattern of the sub-block interleaver: TS 38.212 table 5.4.1.1-1."""

OUTPUT_ORDER = (SUB_BLOCKS[:, None] * (N // 32) + np.arange(N // 32)).ravel()
"""Bit of the codeword in each place of the circular buffer: TS 38.212 5.4.1.1."""


class _Code:
    """A code of `payload_bits` and their CRC in `rate_matched_bits`.

    Attributes:
        information: bit channels that carry the payload and its CRC, ascending.
        input_order: bit of payload and CRC that each of them carries: TS 38.212 5.3.1.1.
        sent: place of the circular buffer that each rate matched bit is: TS 38.212 5.4.1.2.
    """

    def __init__(self, payload_bits: int, rate_matched_bits: int) -> None:
        bits = payload_bits + CRC_BITS
        punctured = max(0, N - rate_matched_bits)
        # Punctured, not shortened, at rates up to 7/16; all places of the buffer come several times without either.
        if payload_bits < 12 or bits > len(INTERLEAVER) or 16 * bits > 7 * rate_matched_bits or 2 * punctured > N:
            raise ParameterError(
                f"payload_bits are {payload_bits} in {rate_matched_bits} bits; choose 12..140, in {N // 2} bits or "
                "more and at a rate up to 7/16"
            )
        frozen = OUTPUT_ORDER[:punctured]
        if punctured:
            sixteenths = (
                12 * N - 8 * rate_matched_bits if 4 * rate_matched_bits >= 3 * N else 9 * N - 4 * rate_matched_bits
            )
            frozen = np.union1d(frozen, np.arange(-(-sixteenths // 16)))
        self.information = np.sort(RELIABILITY[~np.isin(RELIABILITY, frozen)][-bits:])
        self.input_order = INTERLEAVER[len(INTERLEAVER) - bits <= INTERLEAVER] - (len(INTERLEAVER) - bits)
        self.sent = (punctured + np.arange(rate_matched_bits)) % N


@lru_cache(maxsize=16)
def _code(payload_bits, rate_matched_bits):
    return _Code(payload_bits, rate_matched_bits)


def encode(
    payload: np.ndarray, rate_matched_bits: int = RATE_MATCHED_BITS, crc_mask: np.ndarray | int = 0
) -> np.ndarray:
    """Rate matched bits of payloads.

    Args:
        payload: 0 and 1, shape (..., n), n from 12 to 140.
        rate_matched_bits: so many are sent.
        crc_mask: what is added to the CRC, uint8 (24,).

    Returns:
        uint8, shape (..., rate_matched_bits).

    Raises:
        ParameterError: the code would be another than those of downlink channels.
    """
    payload = np.asarray(payload, np.uint8)
    code = _code(payload.shape[-1], rate_matched_bits)
    with_crc = np.concatenate([payload, CRC24C.parity(payload) ^ np.uint8(crc_mask)], axis=-1)
    codeword = np.zeros((*payload.shape[:-1], N), np.uint8)
    codeword[..., code.information] = with_crc[..., code.input_order]
    half = 1
    while half < N:
        pairs = codeword.reshape(*codeword.shape[:-1], -1, 2, half)
        pairs[..., 0, :] ^= pairs[..., 1, :]
        half *= 2
    return codeword[..., OUTPUT_ORDER][..., code.sent]


def decode(
    llr: np.ndarray, paths: int = 8, payload_bits: int = PAYLOAD_BITS, crc_mask: np.ndarray | int = 0
) -> list[np.ndarray | None]:
    """Payloads of received blocks, None where no path of the list has a CRC that fits.

    Noise gives a payload with a probability of paths / 2**24 a block.

    Args:
        llr: log-likelihood ratios of the rate matched bits, positive for 0, shape (blocks, bits), any scale.
        paths: length of the list.
        payload_bits: of a payload.
        crc_mask: what was added to the CRC, uint8 (24,).

    Returns:
        for every block uint8 (payload_bits,), the most likely path whose CRC fits.

    Raises:
        ParameterError: the code would be another than those of downlink channels.
    """
    llr = np.asarray(llr, np.float32)
    if llr.ndim != 2:
        raise ParameterError(f"llr has the shape {llr.shape}; (blocks, bits) is needed")
    code = _code(payload_bits, llr.shape[1])
    buffer = np.zeros((len(llr), N), np.float32)
    for start in range(0, llr.shape[1], N):
        piece = llr[:, start : start + N]
        buffer[:, code.sent[start : start + N]] += piece
    codeword = np.empty_like(buffer)
    codeword[:, OUTPUT_ORDER] = buffer
    # One scale for all blocks keeps the metrics, sums in float32, within their precision.
    level = np.abs(codeword).mean(axis=1, keepdims=True)
    usable = np.isfinite(level) & (level > 0)
    codeword = np.divide(codeword, level, out=np.zeros_like(codeword), where=usable)
    decoder = _ListDecoder(codeword, paths, code.information)
    with_crc = np.empty(decoder.bits.shape, np.uint8)
    with_crc[..., code.input_order] = decoder.bits
    parity = CRC24C.parity(with_crc[..., :payload_bits]) ^ np.uint8(crc_mask)
    fits = (parity == with_crc[..., payload_bits:]).all(axis=-1)
    # All zeros is a codeword, and what a constant input decodes to.
    fits &= with_crc.any(axis=-1) & usable
    best = np.argmin(np.where(fits, decoder.metrics, np.inf), axis=1)
    return [with_crc[i, path, :payload_bits] if fits[i, path] else None for i, path in enumerate(best.tolist())]


class _ListDecoder:
    """Successive cancellation with a list of paths, of all blocks at once (min-sum).

    Attributes:
        bits: of the information channels, uint8 (blocks, paths, n).
        metrics: float32 (blocks, paths), the smaller the more likely.
    """

    def __init__(self, codeword, paths, information):
        blocks = len(codeword)
        self.paths = paths
        self.rows = np.arange(blocks)[:, None]
        self.llr = {N: np.repeat(codeword[:, None], paths, axis=1)}
        self.partial = {}
        self.metrics = np.full((blocks, paths), np.inf, np.float32)
        self.metrics[:, 0] = 0
        self.bits = np.zeros((blocks, paths, len(information)), np.uint8)
        self.decided = 0
        self.is_information = np.isin(np.arange(N), information)
        self._descend(N, 0)

    def _descend(self, size, first):
        """Signs (-1, 1) of the part of the codeword that bit channels [first, first + size) make."""
        if not self.is_information[first : first + size].any():
            self.metrics -= np.minimum(self.llr[size], 0).sum(axis=-1)
            return np.ones_like(self.llr[size])
        if size == 1:
            return self._decide()
        half = size // 2
        upper, lower = self.llr[size][..., :half], self.llr[size][..., half:]
        self.llr[half] = np.sign(upper) * np.sign(lower) * np.minimum(np.abs(upper), np.abs(lower))
        self.partial[half] = self._descend(half, first)
        # Decisions have put the paths into another order: the views above are out of date.
        upper, lower = self.llr[size][..., :half], self.llr[size][..., half:]
        self.llr[half] = lower + self.partial[half] * upper
        second = self._descend(half, first + half)
        return np.concatenate([self.partial.pop(half) * second, second], axis=-1)

    def _decide(self):
        """Split every path into one for 0 and one for 1 and keep the better half."""
        llr = self.llr[1][..., 0]
        metrics = np.concatenate([self.metrics - np.minimum(llr, 0), self.metrics + np.maximum(llr, 0)], axis=1)
        kept = np.argsort(metrics, axis=1, kind="stable")[:, : self.paths]
        source, is_one = kept % self.paths, kept >= self.paths
        self.metrics = metrics[self.rows, kept]
        self.llr = {size: values[self.rows, source] for size, values in self.llr.items()}
        self.partial = {size: values[self.rows, source] for size, values in self.partial.items()}
        self.bits = self.bits[self.rows, source]
        self.bits[:, :, self.decided] = is_one
        self.decided += 1
        return 1 - 2 * is_one[..., None].astype(np.float32)
