"""Kernels that rank the genes of a cell: a radix sort of its entries, merged with constants that were sorted before.

Values are ordered keys: unsigned words of which the last 20 bits are free (:func:`pysces._enrich.order.ordered_keys`).
"""

from __future__ import annotations

import numpy as np

from pysces._jit import kernel

FREE_BITS, DIGIT, N_DIGITS = 20, 8, 6
N_VALUES = 1 << DIGIT
LAST_DIGIT = np.uint64(N_VALUES - 1)
ITEM = np.uint64((1 << FREE_BITS) - 1)
VALUE = np.uint64(2**64 - (1 << FREE_BITS))


@kernel
def sort_keys(n, keys, counts):
    """Sort ``keys[0, :n]`` by what is not free in them, digit by digit; return in which row they end up.

    Digits that all keys share are skipped.
    """
    varying = np.uint64(0)
    for i in range(1, n):
        varying |= keys[0, i] ^ keys[0, 0]
    source = 0
    for digit in range(N_DIGITS):
        shift = np.uint64(FREE_BITS + DIGIT * digit)
        if (varying >> shift) & LAST_DIGIT == 0:
            continue
        for value in range(N_VALUES):
            counts[value] = 0
        for i in range(n):
            counts[(keys[source, i] >> shift) & LAST_DIGIT] += 1
        before = 0
        for value in range(N_VALUES):
            here = counts[value]
            counts[value] = before
            before += here
        for i in range(n):
            value = (keys[source, i] >> shift) & LAST_DIGIT
            keys[1 - source, np.uint64(counts[value])] = keys[source, i]
            counts[value] += 1
        source = 1 - source
    return source


@kernel
def farthest_from_middle(ranked, n_entries, n_constants, members, rank_of, rank_at):
    """Twice the distance of the lowest or the highest rank from the middle, whichever is larger."""
    lowest = highest = ranked + 1
    if n_entries:
        lowest, highest = min(lowest, rank_at[0]), max(highest, rank_at[n_entries - 1])
    j = 0
    while j < n_constants and members[j] == 0:
        j += 1
    if j < n_constants:
        lowest = min(lowest, rank_of[j])
        j = n_constants - 1
        while members[j] == 0:
            j -= 1
        highest = max(highest, rank_of[j])
    return max(ranked + 1 - lowest, highest - ranked - 1)


@kernel
def twice_ranks(entries, genes, constants, group, sizes, keys, counts, room, twice):
    """Twice the average rank, an integer, of every gene of a cell among those that are not missing; 0 where missing.

    ``entries`` are the keys of some ``genes`` (0: missing); all other genes have the constant of their ``group`` (0:
    missing). ``constants`` ascend, ``sizes`` counts the genes of each. ``keys``, ``counts`` and ``room`` are there to
    work in. Returns how many genes are ranked, and twice how far the extreme rank is from the middle.
    """
    members, rank_of, rank_at = room[0], room[1], room[2]
    n_constants, n_entries, one = np.uint64(len(constants)), 0, np.uint64(1)
    for j in range(len(constants)):
        members[j] = sizes[j]
    for i in range(len(genes)):
        members[group[genes[i]]] -= 1
        if entries[i] != 0:
            keys[0, n_entries] = entries[i] | np.uint64(i)
            n_entries += 1
    row = sort_keys(n_entries, keys, counts)

    ranked = 0
    i, j, n = np.uint64(0), np.uint64(0), np.uint64(n_entries)  # unsigned: an index that may be negative costs a test
    if n_constants > j and constants[j] == 0:
        rank_of[j] = 0
        members[j] = 0
        j += one
    while True:
        value = keys[row, i] & VALUE if i < n else VALUE
        while j < n_constants and constants[j] < value:
            here = members[j]
            rank_of[j] = 2 * ranked + here + 1
            ranked += here
            j += one
        if i >= n:
            break
        first = i
        while i < n and keys[row, i] & VALUE == value:
            i += one
        here = np.int64(i - first)
        if j < n_constants and constants[j] == value:
            here += members[j]
            rank_of[j] = 2 * ranked + here + 1
            j += one
        while first < i:
            rank_at[first] = 2 * ranked + here + 1
            first += one
        ranked += here

    for gene in range(len(group)):
        twice[gene] = rank_of[group[gene]]
    if n_entries < len(genes):
        for k in range(len(genes)):
            twice[genes[k]] = 0
    for k in range(n_entries):
        twice[genes[keys[row, k] & ITEM]] = rank_at[k]
    return ranked, farthest_from_middle(ranked, n_entries, len(constants), members, rank_of, rank_at)
