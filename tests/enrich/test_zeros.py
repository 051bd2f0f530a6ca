from __future__ import annotations

import numpy as np
import viper_oracles as oracle

from pysces import VIPER
from pysces._csr import as_csr
from pysces._enrich.zeros import with_random_zeros

S = oracle.cells("counts") - (oracle.cells("counts", seed=1) > 2)
GENES = oracle.gene_names(60)
NETWORK = oracle.network(GENES)


def filled(values=S, zero=None, seed=b"seed"):
    zero = np.zeros(values.shape[1]) if zero is None else zero
    found = with_random_zeros(as_csr(values), zero, seed)
    return found.data.reshape(values.shape)


def test_zeros_become_the_smallest_values_and_others_stay():
    found = filled()
    np.testing.assert_array_equal(found[S != 0], S[S != 0])
    for values, given in zip(found, S, strict=True):
        assert (values != 0).all()
        assert np.abs(values[given == 0]).max() < np.abs(given[given != 0]).min()


def test_signs_are_as_frequent_as_those_of_the_other_values():
    many = np.concatenate([np.ones(100), -np.ones(300), np.zeros(20_000)])[np.newaxis]
    assert abs((filled(many)[0, 400:] > 0).mean() - 0.25) < 5 * np.sqrt(0.25 * 0.75 / 20_000)


def test_draws_depend_on_the_cell_and_the_seed_only():
    whole = filled()
    np.testing.assert_array_equal(np.concatenate([filled(S[:13]), filled(S[13:])]), whole)
    np.testing.assert_array_equal(filled(S[::-1])[::-1], whole)
    assert not np.array_equal(filled(seed=b"other"), whole)
    assert len({row[given == 0].tobytes() for row, given in zip(whole, S, strict=True)}) == len(S)


def test_missing_constants_and_cells_without_values_stay():
    zero = np.zeros(60)
    zero[3] = np.nan
    assert np.isnan(filled(np.zeros((1, 60)), zero)[0, 3])
    assert (filled(np.zeros((2, 60))) == 0).all()


def test_scores_of_random_zeros_scatter_about_those_of_average_ranks():
    X = oracle.cells("log")
    settings = {"enrichment": "narnea", "signature": "none", "min_targets": 1}
    average = VIPER(NETWORK, **settings).fit(X, GENES).transform(X)
    drawn = [VIPER(NETWORK, zeros="random", rng=i, **settings).fit(X, GENES).transform(X) for i in range(8)]
    again = VIPER(NETWORK, zeros="random", rng=0, n_threads=1, **settings).fit(X, GENES).transform(X[5:9])
    np.testing.assert_array_equal(again, drawn[0][5:9])
    assert np.std(drawn, axis=0).max() > 0.1
    assert np.corrcoef(np.mean(drawn, axis=0).ravel(), average.ravel())[0, 1] > 0.9


def test_nothing_changes_where_there_are_no_zeros():
    X = oracle.cells("smooth")
    settings = {"enrichment": "narnea", "signature": "none", "min_targets": 1}
    found = [VIPER(NETWORK, zeros=zeros, **settings).fit(X, GENES).transform(X) for zeros in ("average", "random")]
    np.testing.assert_array_equal(*found)
