"""Kernels of the correction for pleiotropy."""

from __future__ import annotations

import math

import numpy as np

from pysces._enrich._order_kernels import N_VALUES, twice_ranks
from pysces._jit import kernel

LEAST_TARGETS = 5
"""Regulators with fewer targets keep their score."""


@kernel
def log_ndtr(x):
    """Natural logarithm of the normal distribution function, to a few units of the last place over its whole range."""
    if x > 0.0:
        return math.log1p(-0.5 * math.erfc(x * math.sqrt(0.5)))
    if x > -20.0:
        return math.log(0.5 * math.erfc(-x * math.sqrt(0.5)))
    i = 1.0 / (x * x)  # the asymptotic series, since erfc underflows
    series = -i * (1.0 - 3.0 * i * (1.0 - 5.0 * i * (1.0 - 7.0 * i * (1.0 - 9.0 * i))))
    return -0.5 * x * x - math.log(-x) - 0.5 * math.log(2.0 * math.pi) + math.log1p(series)


@kernel
def find_shared(regulon_indptr, targets, first, second, shared_indptr, n_genes, shared):
    """Edges of the first and of the second regulator of every pair that lead to the same target; ``first`` ascends."""
    edge_to = np.full(n_genes, -1, np.int64)
    for pair in range(len(first)):
        start, stop = regulon_indptr[first[pair]], regulon_indptr[first[pair] + 1]
        if pair == 0 or first[pair] != first[pair - 1]:
            for edge in range(start, stop):
                edge_to[targets[edge]] = edge
        at = shared_indptr[pair]
        for edge in range(regulon_indptr[second[pair]], regulon_indptr[second[pair] + 1]):
            other = edge_to[targets[edge]]
            if start <= other < stop:  # else it is an edge of a regulator before
                shared[0, at] = other
                shared[1, at] = edge
                at += 1


@kernel
def choose_pairs(takes_part, pair_indptr, second, n_tests, tested):
    """List the pairs of which both regulators take part, and count them per regulator; return how many there are."""
    n = 0
    for regulator in range(len(takes_part)):
        n_tests[regulator] = 0
    for regulator in range(len(takes_part)):
        if takes_part[regulator]:
            for pair in range(pair_indptr[regulator], pair_indptr[regulator + 1]):
                if takes_part[second[pair]]:
                    tested[n] = pair
                    n += 1
                    n_tests[regulator] += 1
                    n_tests[second[pair]] += 1
    return n


@kernel
def sort_targets(targets, twice, counts, values, order):
    """List the places in ``targets`` by ascending rank, and the ranks in that order.

    They are dealt out by the first bits of the rank; few different ranks share these, so that insertion does the rest.
    """
    n, shift = len(targets), 0
    while (2 * len(twice)) >> shift >= N_VALUES:
        shift += 1
    for bits in range(N_VALUES):
        counts[bits] = 0
    for i in range(n):
        counts[twice[targets[i]] >> shift] += 1
    before = 0
    for bits in range(N_VALUES):
        here = counts[bits]
        counts[bits] = before
        before += here
    for i in range(n):
        rank = twice[targets[i]]
        at = counts[rank >> shift]
        counts[rank >> shift] += 1
        values[at], order[at] = rank, i
    for i in range(1, n):
        rank, item, at = values[i], order[i], i
        while at > 0 and values[at - 1] > rank:
            values[at], order[at] = values[at - 1], order[at - 1]
            at -= 1
        values[at], order[at] = rank, item


@kernel
def twice_ranks_within(values, order, within):
    """Twice the average ranks of targets among themselves, given in order; return how far the extreme is out."""
    n = len(values)
    farthest = 0
    first = 0
    while first < n:
        last = first
        while last + 1 < n and values[last + 1] == values[first]:
            last += 1
        for i in range(first, last + 1):
            within[order[i]] = first + last + 2
        farthest = max(farthest, abs(first + last + 2 - (n + 1)))
        first = last + 1
    return farthest


@kernel
def weigh_targets(within, farthest, mode, likelihood, quantile, sign, terms):
    """What each target adds to the two sums of the enrichment of any part of a regulon within the whole."""
    n = len(within)
    for edge in range(n):
        one_tail = quantile[2 * abs(within[edge] - (n + 1)) + n + 1 - farthest]
        terms[edge, 0] = sign * mode[edge] * likelihood[edge] * quantile[within[edge]]
        terms[edge, 1] = (1.0 - abs(mode[edge])) * likelihood[edge] * one_tail


@kernel
def shared_log_p(edges, start, stop, terms, factor):
    """Log of the upper tail of the enrichment of shared targets within a regulon."""
    shift = spread = 0.0
    for i in range(start, stop):
        shift += terms[edges[i], 0]
        spread += terms[edges[i], 1]
    score = (abs(shift) + max(spread, 0.0)) * factor
    return log_ndtr(-score if shift >= 0.0 else score)


@kernel
def log_penalty(log_p, other, adaptive, penalty, log_shadow):
    """Log of the divisor of the likelihoods of the regulator with the smaller p, were this its only test."""
    if adaptive:
        return penalty * math.log1p((other - log_p) / math.log(10.0))
    return math.log(penalty) if log_p < log_shadow <= other else 0.0


@kernel
def penalise(
    tested, first, second, shared_indptr, shared, factors, n_tests, terms, adaptive, penalty, log_shadow,
    penalties, penalised,
):  # fmt: skip
    """Add up the logs of the divisors of all edges, and mark the regulators that have some."""
    for pair in tested:
        start, stop = shared_indptr[pair], shared_indptr[pair + 1]
        log_p = shared_log_p(shared[0], start, stop, terms, factors[0, pair])
        other = shared_log_p(shared[1], start, stop, terms, factors[1, pair])
        side, regulator = (0, first[pair]) if log_p < other else (1, second[pair])
        amount = log_penalty(min(log_p, other), max(log_p, other), adaptive, penalty, log_shadow)
        if amount > 0.0:
            penalised[regulator] = True
            for i in range(start, stop):
                penalties[shared[side, i]] += amount / n_tests[regulator]


@kernel
def penalised_score(targets, mode, likelihood, penalties, twice, quantile, farthest):
    """Normalised enrichment score of one regulon, its likelihoods divided by exp(``penalties``)."""
    n = len(quantile) // 2 - 1
    least = np.inf
    for edge in range(len(targets)):
        least = min(least, penalties[edge])
    largest = 0.0
    for edge in range(len(targets)):  # the least penalised keeps its likelihood, so that not all can underflow
        penalties[edge] = likelihood[edge] * math.exp(least - penalties[edge])
        largest = max(largest, penalties[edge])
    shift = spread = total = squares = 0.0
    for edge in range(len(targets)):
        share = penalties[edge] / largest
        total += share
        squares += share * share
        rank = twice[targets[edge]]
        shift += share * mode[edge] * quantile[rank]
        spread += share * (1.0 - abs(mode[edge])) * quantile[2 * abs(rank - (n + 1)) + n + 1 - farthest]
    score = (abs(shift) + max(spread, 0.0)) * math.sqrt(squares) / total
    return score if shift >= 0.0 else -score


@kernel
def correct(
    entries, indices, indptr, constants, group, sizes, quantile, least_far,
    regulon_indptr, targets, mode, likelihood, own_quantile, own_start,
    pair_indptr, first, second, shared_indptr, shared, factors,
    takes_part, adaptive, penalty, log_shadow, scores,
):  # fmt: skip
    """Replace the scores of the regulators that are penalised.

    Genes have the keys of a CSR block, or else the constant of their group; no target is missing. ``quantile`` is for
    the genes that are not missing. The quantiles of ranks among the targets of a regulator begin at its ``own_start``.
    Pairs are listed by their first regulator.
    """
    n, n_regulators, n_edges = len(group), scores.shape[1], len(targets)
    keys, counts, room = np.empty((2, n), np.uint64), np.empty(N_VALUES, np.int32), np.empty((3, n), np.int32)
    twice, values = np.empty(n, np.int32), np.empty(n_edges, np.int32)
    order, within = np.empty(n_edges, np.int32), np.empty(n_edges, np.int32)
    tested, n_tests = np.empty(len(first), np.int64), np.empty(n_regulators, np.int64)
    terms, penalties, penalised = np.empty((n_edges, 2)), np.empty(n_edges), np.empty(n_regulators, np.bool_)
    for cell in range(len(indptr) - 1):
        n_pairs = choose_pairs(takes_part[cell], pair_indptr, second, n_tests, tested)
        if n_pairs == 0:
            continue
        start, stop = indptr[cell], indptr[cell + 1]
        _, farthest = twice_ranks(
            entries[start:stop], indices[start:stop], constants, group, sizes, keys, counts, room, twice
        )
        for edge in range(n_edges):
            penalties[edge] = 0.0
        for regulator in range(n_regulators):
            penalised[regulator] = False
            if n_tests[regulator]:
                start, stop = regulon_indptr[regulator], regulon_indptr[regulator + 1]
                sort_targets(targets[start:stop], twice, counts, values[start:stop], order[start:stop])
                own_farthest = twice_ranks_within(values[start:stop], order[start:stop], within[start:stop])
                weigh_targets(
                    within[start:stop], own_farthest, mode[start:stop], likelihood[start:stop],
                    own_quantile[own_start[regulator] :], 1.0 if scores[cell, regulator] >= 0.0 else -1.0,
                    terms[start:stop],
                )  # fmt: skip
        penalise(
            tested[:n_pairs], first, second, shared_indptr, shared, factors, n_tests, terms,
            adaptive, penalty, log_shadow, penalties, penalised,
        )  # fmt: skip
        for regulator in range(n_regulators):
            start, stop = regulon_indptr[regulator], regulon_indptr[regulator + 1]
            if penalised[regulator] and stop - start >= LEAST_TARGETS:
                scores[cell, regulator] = penalised_score(
                    targets[start:stop], mode[start:stop], likelihood[start:stop], penalties[start:stop],
                    twice, quantile, max(farthest, least_far),
                )  # fmt: skip
