"""The parser of rdata for files of R, strict: it ends at the end of the file, and no claimed length takes memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from rdata.parser import DEFAULT_ALTREP_MAP, RObject, RObjectInfo, RObjectType
from rdata.parser._xdr import ParserXDR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike, NDArray

MOST_IN_SEQUENCES = 1_000_000
"""Numbers that a file may hold as ranges, of which it tells the ends only."""

STRING = b"\x00\x09"
"""The end of the head of a string without attributes."""


def parse(content: memoryview) -> RObject:
    """The object in the content of a file in the XDR format, after its first line."""
    parser = _Strict(content)
    found = parser.parse_all().object
    if parser.left():
        msg = f"{parser.left()} bytes follow after its end"
        raise ValueError(msg)
    return found


class _Strict(ParserXDR):
    """Every length is checked against what the file holds; integers are taken without a detour through numpy."""

    def __init__(self, content: memoryview) -> None:
        altrep = {**DEFAULT_ALTREP_MAP, b"deferred_string": self._strings}
        altrep |= {b"compact_intseq": self._integers, b"compact_realseq": self._reals}
        super().__init__(memoryview(b""), expand_altrep=True, altrep_constructor_dict=altrep)
        self._content, self._at, self._in_sequences = content, 0, 0
        self._strings_seen: dict[bytes, RObject] = {}

    def left(self) -> int:
        return len(self._content) - self._at

    def parse_int(self) -> int:
        return int.from_bytes(self.parse_string(4), "big", signed=True)

    def parse_string(self, length: int) -> bytes:
        if not 0 <= length <= self.left():
            msg = f"it ends early: {length} bytes are announced where {self.left()} are left"
            raise ValueError(msg)
        self._at += length
        return bytes(self._content[self._at - length : self._at])

    def parse_R_object(  # noqa: N802
        self,
        reference_list: list[RObject] | None = None,
        bytecode_rep_list: list[RObject | None] | None = None,
        info_int: int | None = None,
    ) -> RObject:
        """One string is made for each name, which the regulons repeat; rdata makes one for each edge."""
        if info_int is not None or self._content[self._at + 2 : self._at + 4] != STRING:
            return super().parse_R_object(reference_list, bytecode_rep_list, info_int)
        start = self._at
        self._at += 4
        length = self.parse_int()
        self.parse_string(max(length, 0))
        head_and_text = bytes(self._content[start : self._at])
        if head_and_text not in self._strings_seen:
            self._at = start
            self._strings_seen[head_and_text] = super().parse_R_object(reference_list, bytecode_rep_list)
        return self._strings_seen[head_and_text]

    def _parse_array_values(self, dtype: DTypeLike, length: int) -> NDArray[Any]:
        dtype = np.dtype(dtype)
        return np.frombuffer(self.parse_string(length * dtype.itemsize), dtype.newbyteorder(">")).astype(dtype)

    def _parse_bytecode(
        self, reference_list: list[RObject] | None, bytecode_rep_list: list[RObject | None] | None = None
    ) -> tuple[RObject, Sequence[RObject]]:
        if bytecode_rep_list is None:  # as many places as announced are made then
            places = self.parse_int()
            self.parse_string(places)
            self._at -= 4 + places
        return super()._parse_bytecode(reference_list, bytecode_rep_list)

    def _integers(self, state: RObject) -> tuple[RObjectInfo, Any]:
        return _info(RObjectType.INT), self._sequence(state).astype(np.int32)

    def _reals(self, state: RObject) -> tuple[RObjectInfo, Any]:
        return _info(RObjectType.REAL), self._sequence(state)

    def _sequence(self, state: RObject) -> NDArray[np.float64]:
        length, start, step = (float(number) for number in state.value)
        self._in_sequences += max(int(length), 0)
        if self._in_sequences > MOST_IN_SEQUENCES:
            msg = f"its ranges have more than {MOST_IN_SEQUENCES} numbers"
            raise ValueError(msg)
        return start + step * np.arange(length, dtype=np.float64)

    @staticmethod
    def _strings(state: RObject) -> tuple[RObjectInfo, Any]:
        """Numbers that R has not turned into text yet, such as identifiers of Entrez; rdata takes 100000L for 1e+05."""
        numbers = state.value[0]
        if numbers.info.type is not RObjectType.INT:
            return DEFAULT_ALTREP_MAP[b"deferred_string"](state)
        texts = [None if number is np.ma.masked else b"%d" % number for number in numbers.value]
        return _info(RObjectType.STR), [RObject(_info(RObjectType.CHAR), text, None) for text in texts]


def _info(kind: RObjectType) -> RObjectInfo:
    return RObjectInfo(kind, object=False, attributes=False, tag=False, gp=0, reference=0)
