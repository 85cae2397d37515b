# SPDX-License-Identifier: GPL-3.0-or-later
"""Unaligned packed encoding of ASN.1 (ITU-T X.691), as far as messages of TS 38.331 need it: types read and write."""

from collections.abc import Sequence as Items
from typing import Any, Protocol

import numpy as np

from ..errors import RpmsnError


class EncodingError(RpmsnError):
    """Bits that are no value of a type."""


class Reader:
    """Takes bits from the front of a message, uint8 (n,)."""

    def __init__(self, bits: np.ndarray) -> None:
        self._bits, self._place = np.asarray(bits, np.uint8), 0

    def number(self, width: int) -> int:
        """The next bits, most significant first.

        Raises:
            EncodingError: the message ends before.
        """
        self._place += width
        if self._place > len(self._bits):
            raise EncodingError(f"the message ends after {len(self._bits)} bits")
        return int("".join(map(str, self._bits[self._place - width : self._place])) or "0", 2)


class Writer:
    """Appends bits to a message.

    Attributes:
        bits: the message so far.
    """

    def __init__(self) -> None:
        self.bits: list[int] = []

    def number(self, value: int, width: int) -> None:
        """Append a number, most significant bit first."""
        self.bits += [value >> bit & 1 for bit in range(width - 1, -1, -1)]


class Type(Protocol):
    """A type: reads and writes its values."""

    def read(self, bits: Reader) -> Any:
        """The next value."""

    def write(self, bits: Writer, value: Any) -> None:
        """Append a value."""


class Integer:
    """A number between two others."""

    def __init__(self, least: int, most: int) -> None:
        self.least, self.count = least, most - least + 1
        self.width = (self.count - 1).bit_length()

    def read(self, bits: Reader) -> int:
        """The next value."""
        value = bits.number(self.width)
        if value >= self.count:
            raise EncodingError(f"{value + self.least} is more than {self.least + self.count - 1}")
        return value + self.least

    def write(self, bits: Writer, value: int) -> None:
        """Append a value."""
        bits.number(value - self.least, self.width)


class Enumerated(Integer):
    """One of `count` values, by its number; with `extensible`, others may come, read as `count`."""

    def __init__(self, count: int, extensible: bool = False) -> None:
        super().__init__(0, count - 1)
        self.extensible = extensible

    def read(self, bits: Reader) -> int:
        """The next value."""
        if self.extensible and bits.number(1):
            if bits.number(1):
                raise EncodingError("an enumeration has more than 64 additions")
            bits.number(6)
            return self.count
        return super().read(bits)

    def write(self, bits: Writer, value: int) -> None:
        """Append a value."""
        if self.extensible:
            bits.number(0, 1)
        super().write(bits, value)


class List:
    """`least` to `most` values of a type."""

    def __init__(self, item: Type, least: int, most: int) -> None:
        self.item, self.length = item, Integer(least, most)

    def read(self, bits: Reader) -> list[Any]:
        """The next value."""
        return [self.item.read(bits) for _ in range(self.length.read(bits))]

    def write(self, bits: Writer, value: Items[Any]) -> None:
        """Append a value."""
        self.length.write(bits, len(value))
        for item in value:
            self.item.write(bits, item)


class Sequence:
    """Named values, of which some may be absent; a dictionary.

    Args:
        fields: (name, type) in order; a name that ends in `?` may be absent, and is not in the dictionary then.
        extensible: others may follow, which are skipped.
        unread: optional fields behind, of which nothing is read but whether they are there: True in the dictionary.
        is_cut: there are fields behind that are not read. Nothing is read or written after such a sequence.
    """

    def __init__(
        self, *fields: tuple[str, Type], extensible: bool = False, unread: Items[str] = (), is_cut: bool = False
    ) -> None:
        self.fields = [(name.rstrip("?"), name.endswith("?"), item) for name, item in fields]
        self.extensible, self.unread, self.is_cut = extensible, tuple(unread), is_cut or bool(unread)

    def read(self, bits: Reader) -> dict[str, Any]:
        """The next value."""
        is_extended = self.extensible and bool(bits.number(1))
        there = {name: not is_optional or bool(bits.number(1)) for name, is_optional, _ in self.fields}
        value: dict[str, Any] = {name: True for name in self.unread if bits.number(1)}
        for name, _, item in self.fields:
            if there[name]:
                value[name] = item.read(bits)
        if is_extended and not self.is_cut:
            self._skip_additions(bits)
        return value

    @staticmethod
    def _skip_additions(bits):
        if bits.number(1):
            raise EncodingError("a sequence has more than 64 additions")
        count = bits.number(6) + 1
        for _ in range([bits.number(1) for _ in range(count)].count(1)):
            length = bits.number(8)
            if length & 0x80:
                if length & 0x40:
                    raise EncodingError("an addition is longer than 16383 octets")
                length = (length & 0x3F) << 8 | bits.number(8)
            bits.number(8 * length)

    def write(self, bits: Writer, value: dict[str, Any]) -> None:
        """Append a value."""
        if self.extensible:
            bits.number(0, 1)
        for name, is_optional, _ in self.fields:
            if is_optional:
                bits.number(name in value, 1)
        for name in self.unread:
            bits.number(name in value, 1)
        for name, _, item in self.fields:
            if name in value:
                item.write(bits, value[name])
