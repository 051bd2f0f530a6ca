"""Files of R as R writes them (XDR, version 3), spelled out from "R Internals", section 1.8: naive, and small."""

from __future__ import annotations

import struct

import numpy as np

NA_INT = -(2**31)
NA_REAL = struct.unpack(">d", bytes.fromhex("7ff00000000007a2"))[0]


class R:
    """A value with attributes."""

    def __init__(self, value, **attributes):
        self.value, self.attributes = value, attributes


class Bytes(bytes):
    """A value that is spelled out already."""


def named(names, values):
    """A vector of numbers, or a list, with names."""
    return R(list(values), names=list(names))


def regulons(network, *, weight="tfmode", likelihood="likelihood", named_likelihood=False, **attributes):
    """Regulons of a dict of dicts: regulator, target, (weight, likelihood)."""
    lists = []
    for targets in network.values():
        likelihoods = [float(pair[1]) for pair in targets.values()]
        vectors = [
            named(targets, [float(pair[0]) for pair in targets.values()]),
            named(targets, likelihoods) if named_likelihood else likelihoods,
        ]
        lists.append(named([weight, likelihood], vectors))
    return R(lists, names=list(network), **attributes)


def ints(*values):
    return struct.pack(f">{len(values)}i", *values)


def string(text):
    if text is None:
        return ints(9, -1)
    content = text.encode()
    return ints(9 | ((64 << 12) if text.isascii() else (8 << 12)), len(content)) + content


def symbol(name, symbols):
    """Spelled out the first time, a reference to it later."""
    if name in symbols:
        return ints((symbols.index(name) + 1) << 8 | 255)
    symbols.append(name)
    return ints(1) + string(name)


def pairs(entries, symbols):
    """A pairlist."""
    body = b"".join(ints(0x402) + symbol(name, symbols) + item(value, symbols) for name, value in entries.items())
    return body + ints(254)


def item(value, symbols):
    """A value, with what R puts in front: its type and flags, and its length."""
    if isinstance(value, Bytes):
        return bytes(value)
    attributes = {}
    if isinstance(value, R):
        value, attributes = value.value, {name.rstrip("_"): own for name, own in value.attributes.items()}
    flags = (0x200 if attributes else 0) | (0x100 if "class" in attributes else 0)
    if value is None:
        return ints(254)
    if isinstance(value, np.ndarray):  # integers
        found = ints(13 | flags, len(value), *value.tolist())
    elif all(isinstance(own, float) for own in value):
        found = ints(14 | flags, len(value)) + b"".join(struct.pack(">d", own) for own in value)
    elif any(isinstance(own, str) for own in value) and all(isinstance(own, str | None) for own in value):
        found = ints(16 | flags, len(value)) + b"".join(map(string, value))
    else:
        found = ints(19 | flags, len(value)) + b"".join(item(own, symbols) for own in value)
    return found + (pairs(attributes, symbols) if attributes else b"")


def head(version=3):
    return b"X\n" + ints(version, 0x40301, 0x30500) + ((ints(5) + b"UTF-8") if version == 3 else b"")


def rds(value, version=3):
    """What saveRDS(value, compress = FALSE) writes."""
    return head(version) + item(value, [])


def rda(objects, version=3):
    """What save(..., compress = FALSE) writes."""
    return b"RDX%d\n" % version + head(version) + pairs(objects, [])
