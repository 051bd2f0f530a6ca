"""Every public function gives the same, to the byte, wherever X lies and whatever holds its numbers."""

from __future__ import annotations

import tracemalloc
import warnings
import weakref

import anndata as ad
import dask
import dask.array as da
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import zarr
from states import state

import pysces as ps
from pysces._matrix import _read, checked_blocks, columns

pytestmark = [
    pytest.mark.filterwarnings("ignore:X holds counts|gene set 'set' holds"),
    pytest.mark.filterwarnings("ignore:the sequencing depth of the cells is not known"),
    pytest.mark.filterwarnings("ignore:1 groups of .* have fewer than min_cells"),
    pytest.mark.filterwarnings("ignore::anndata.ImplicitModificationWarning"),  # views become data of their own
]

N_CELLS, N_GENES, CELLS_PER_BLOCK = 325, 40, 128
GENES = [f"g{i}" for i in range(N_GENES)]
LABELS = ["B/C cell", "NK", "T"]


@pytest.fixture(autouse=True, scope="module")
def small_reads():
    """There are several blocks, and files are read in several pieces, which end within blocks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_read, "CELLS_PER_BLOCK", CELLS_PER_BLOCK)
        patch.setattr(_read, "CELLS_PER_READ", 175)
        patch.setattr(_read, "DENSE_CELLS_PER_READ", 150)
        yield


def counts() -> np.ndarray:
    """Counts of cells whose genes go together, so that there are edges to be found."""
    rng = np.random.default_rng(0)
    programme = rng.gamma(1.0, 1.0, (N_CELLS, 4))
    return rng.poisson(0.1 + programme[:, np.arange(N_GENES) % 4] * rng.uniform(0.1, 1.5, N_GENES)).clip(0, 200)


def cells(convert=sp.csr_matrix, dtype=np.float64, x=None) -> ad.AnnData:
    """These counts as an AnnData, of types that lie among each other."""
    rng = np.random.default_rng(1)
    obs = pd.DataFrame(
        {
            "cell_type": pd.Categorical(rng.choice(LABELS, N_CELLS, p=[0.55, 0.35, 0.1]), categories=LABELS),
            "healthy": rng.random(N_CELLS) < 0.5,
            "depth": rng.uniform(1, 2, N_CELLS),
        },
        index=[f"cell{i}" for i in range(N_CELLS)],
    )
    var = pd.DataFrame({"regulator": np.arange(N_GENES) % 10 == 0, "target": np.arange(N_GENES) > 3}, index=GENES)
    x = convert(counts().astype(dtype)) if x is None else x
    return ad.AnnData(x, obs=obs, var=var, obsm={"X_pca": rng.normal(size=(N_CELLS, 3))})


def network() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    target = np.concatenate([rng.choice(GENES, 12, replace=False) for _ in range(5)])
    source = np.repeat([f"R{i}" for i in range(5)], 12)
    return pd.DataFrame({"source": source, "target": target, "weight": rng.uniform(-1, 1, 60)})


NETWORK = network()

# --- where X may lie --------------------------------------------------------------------------------------------------


def written(folder, adata, suffix, *, narrow=False):
    path = folder / f"cells.{suffix}"
    with ad.settings.override(write_csr_csc_indices_with_min_possible_dtype=narrow):
        getattr(adata, f"write_{suffix}")(path)
    return path


def backed(folder, adata, **settings):
    return ad.read_h5ad(written(folder, adata, "h5ad", **settings), backed="r")


def backed_zarr(folder, adata):
    store = zarr.open_group(written(folder, adata, "zarr"), mode="r")["X"]
    return cells(x=ad.io.sparse_dataset(store) if isinstance(store, zarr.Group) else store)


def lazy(folder, adata, suffix="zarr", **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # read_lazy is experimental
        return ad.experimental.read_lazy(written(folder, adata, suffix, **settings))


def read_again(folder, adata, suffix):
    return getattr(ad, f"read_{suffix}")(written(folder, adata, suffix, narrow=True))


def of_dask(rows, genes=-1, convert=None):
    x = da.from_array(counts().astype(np.float64), chunks=(rows, genes))
    return cells(x=x if convert is None else x.map_blocks(convert, dtype=x.dtype, meta=convert(np.zeros((0, 0)))))


def with_int64_indices():
    x = sp.csr_matrix(counts().astype(np.float64))
    x.indices, x.indptr = x.indices.astype(np.int64), x.indptr.astype(np.int64)
    return cells(x=x)


def unsorted():
    x = sp.csr_matrix(counts().astype(np.float64))
    for start, stop in zip(x.indptr[:-1], x.indptr[1:], strict=True):
        x.indices[start:stop], x.data[start:stop] = x.indices[start:stop][::-1].copy(), x.data[start:stop][::-1].copy()
    x.has_sorted_indices = False
    return cells(x=x)


def of_type(x, dtype):
    x.data = x.data.astype(dtype)  # as astype makes float32 of float16
    return x


def view():
    large = cells(x=sp.csr_matrix(np.pad(counts().astype(np.float64), ((0, 0), (0, 0)))))
    larger = ad.concat([large, large[:50]], index_unique="-")
    larger.obs_names = [*large.obs_names, *(f"other{i}" for i in range(50))]
    larger.var = large.var
    return larger[: large.n_obs]


STORAGES = {
    "ndarray": lambda _: cells(np.asarray),
    "fortran": lambda _: cells(np.asfortranarray),
    "csc_matrix": lambda _: cells(sp.csc_matrix),
    "csr_array": lambda _: cells(sp.csr_array),
    "csc_array": lambda _: cells(sp.csc_array),
    "csr view": lambda _: view(),
    "csr int64 indices": lambda _: with_int64_indices(),
    "csr unsorted": lambda _: unsorted(),
    "float32": lambda _: cells(dtype=np.float32),
    "float32 dense": lambda _: cells(np.asarray, np.float32),
    "int32": lambda _: cells(dtype=np.int32),
    "int64 dense": lambda _: cells(np.asarray, np.int64),
    "uint8": lambda _: cells(dtype=np.uint8),
    "float16 csc": lambda _: cells(lambda x: of_type(sp.csc_matrix(x), np.float16)),
    "big-endian csr": lambda _: cells(lambda x: of_type(sp.csr_array(x), ">f8")),
    "longdouble dense": lambda _: cells(np.asarray, np.longdouble),
    "h5ad dense": lambda path: backed(path, cells(np.asarray)),
    "h5ad csr": lambda path: backed(path, cells()),
    "h5ad csc": lambda path: backed(path, cells(sp.csc_matrix)),
    "h5ad csr uint8 indices": lambda path: backed(path, cells(), narrow=True),
    "h5ad csc uint16 indices": lambda path: backed(path, cells(sp.csc_matrix, np.float32), narrow=True),
    "h5ad csr uint8": lambda path: backed(path, cells(dtype=np.uint8)),
    "h5ad read": lambda path: read_again(path, cells(), "h5ad"),
    "zarr read": lambda path: read_again(path, cells(sp.csc_matrix), "zarr"),
    "zarr dense": lambda path: backed_zarr(path, cells(np.asarray)),
    "zarr csr": lambda path: backed_zarr(path, cells()),
    "zarr csc": lambda path: backed_zarr(path, cells(sp.csc_matrix)),
    "lazy zarr csr": lambda path: lazy(path, cells(dtype=np.float32)),
    "lazy zarr csc": lambda path: lazy(path, cells(sp.csc_matrix)),
    "lazy zarr dense": lambda path: lazy(path, cells(np.asarray)),
    "lazy zarr uint8 indices": lambda path: lazy(path, cells(dtype=np.int64), narrow=True),
    "lazy h5ad csr": lambda path: lazy(path, cells(), "h5ad"),
    "lazy h5ad csc": lambda path: lazy(path, cells(sp.csc_matrix), "h5ad"),
    "lazy h5ad dense": lambda path: lazy(path, cells(np.asarray, np.int32), "h5ad"),
    "lazy view": lambda path: lazy(path, view().copy())[:],
    "dask dense": lambda _: of_dask(83),
    "dask dense columns": lambda _: of_dask(125, 7),
    "dask csr": lambda _: of_dask(25, -1, sp.csr_matrix),
    "dask csr_array": lambda _: of_dask(500, -1, sp.csr_array),
    "dask csr columns": lambda _: of_dask(112, 9, sp.csr_matrix),
    "dask csc": lambda _: of_dask(112, -1, sp.csc_matrix),
}


@pytest.fixture(scope="module", params=list(STORAGES))
def stored(request, tmp_path_factory):
    """The same cells in one of the storages."""
    return STORAGES[request.param](tmp_path_factory.mktemp("storage"))


# --- what is computed -------------------------------------------------------------------------------------------------


def aracne(adata):
    ps.tl.aracne(
        adata, "regulator", groupby="cell_type", targets="target", n_subnetworks=2, subsample=100, min_cells=50
    )
    return ps.get.network(adata)


def aracne_with_depth(adata):
    ps.tl.aracne(adata, ["g1", "g2"], mask_var="target", depth="depth", n_subnetworks=1, dpi=None, key_added="depth")
    return ps.get.network(adata, key="depth")


def viper(adata):
    ps.tl.viper(adata, NETWORK, groupby="cell_type", n_bootstraps=3, min_targets=5)
    return adata.obsm["viper"], adata.obsm["viper_sd"], adata.uns["viper"]["regulons"]


def viper_against_a_reference(adata):
    networks = {"one": NETWORK, "other": NETWORK[:36]}
    ps.tl.viper(adata, networks, reference="healthy", min_targets=5, key_added="against")
    return adata.obsm["against"], list(adata.obs["against_network"].to_numpy())


def viper_of_ranks(adata):
    ps.tl.viper(adata, NETWORK, signature="rank", groupby="cell_type", groups=["T"], min_targets=5, key_added="ranks")
    return adata.obsm["ranks"]


def msviper(adata):
    ps.tl.msviper(adata, "cell_type", "NK", network=NETWORK, min_targets=5, n_permutations=20)
    return ps.get.msviper(adata)


def metacells(adata):
    found = ps.pp.metacells(adata, groupby="cell_type", groups=["NK", "T"], size=10)
    return found.X.astype(np.float64), found.obs, found.var, found.obsm["X_pca"]


def activities(adata):
    """What works on what is stored, where obs and embeddings may be in a file too."""
    ps.tl.viper(adata, NETWORK, reference="all", groupby="cell_type", min_targets=5, key_added="common")
    ps.tl.rank_regulators(adata, "cell_type", groups=["NK", "T"], key="common")
    ps.tl.similarity(adata, key="common")
    ps.tl.pathways(adata, {"set": ["R0", "R1", "R3"]}, min_targets=2, key="common")
    activity = ps.get.activity(adata, key="common")
    return (
        ps.get.regulators(adata), adata.obsp["common_similarity"], adata.obsm["pathways"],
        ps.get.pvalues(adata, key="common"),
        activity.X, activity.var, activity.obs["cell_type"].tolist(), activity.obsm["X_pca"],
    )  # fmt: skip


def class_aracne(adata):
    return ps.ARACNe(n_subnetworks=1, n_threads=1).fit(adata.X, [0, 1, 2], GENES, rows=np.arange(10, 310, 2)).network_


def class_viper(adata):
    model = ps.VIPER(NETWORK, min_targets=5, signature="doublerank", n_threads=2).fit(adata.X, GENES)
    return model.transform(adata.X, rows=np.arange(1, N_CELLS, 2))


FUNCTIONS = [
    aracne, aracne_with_depth, viper, viper_against_a_reference, viper_of_ranks, msviper, metacells,
    class_aracne, class_viper,
]  # fmt: skip


COVERING = [
    pytest.param(name, function, id=f"{function.__name__}-{name}")
    for place, function in enumerate(FUNCTIONS)
    for name in list(STORAGES)[place :: len(FUNCTIONS)]
]
"""Every function with storages of all sorts. Networks, which read columns, and scores, which read rows, have a test of
their own with every storage."""


def computed(function, adata):
    found = function(adata)
    return [state(part) for part in (found if isinstance(found, tuple) else (found,))]


@pytest.fixture(scope="module")
def expected():
    """What each function gives for float64 CSR in memory."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "1 groups of .* have fewer than min_cells")
        return {function: computed(function, cells()) for function in FUNCTIONS}


@pytest.mark.parametrize("function", [aracne, viper], ids=lambda f: f.__name__)
def test_networks_and_scores_are_those_of_rows_in_memory(function, stored, expected):
    assert computed(function, stored) == expected[function]


@pytest.mark.parametrize(("name", "function"), COVERING)
def test_results_are_those_of_rows_in_memory(name, function, expected, tmp_path):
    assert computed(function, STORAGES[name](tmp_path)) == expected[function]


def test_these_functions_find_something(expected):
    found = cells()
    assert aracne(found)["group"].nunique() == 2
    assert len(aracne_with_depth(found)) > 10
    assert all(expected[function] for function in FUNCTIONS)


@pytest.mark.parametrize("name", ["h5ad csr", "zarr dense", "lazy zarr csr", "lazy h5ad dense"])
def test_what_works_on_activities_takes_cells_from_anywhere(name, tmp_path):
    assert computed(activities, STORAGES[name](tmp_path)) == computed(activities, cells())


@pytest.mark.parametrize("function", [aracne, viper, class_viper], ids=lambda f: f.__name__)
@pytest.mark.parametrize("store", [lambda _, adata: adata, backed, lazy], ids=["memory", "backed", "lazy"])
def test_booleans_are_zeros_and_ones(function, store, tmp_path):
    assert computed(function, store(tmp_path, cells(dtype=bool))) == computed(
        function, cells(x=sp.csr_matrix(counts().astype(bool).astype(np.float64)))
    )


# --- what is read -----------------------------------------------------------------------------------------------------

ALL, EVERY_THIRD, STRETCH = np.arange(N_CELLS), np.arange(1, N_CELLS, 3), np.arange(22, 302)
READERS = {
    "blocks": lambda x, rows: list(checked_blocks(x, rows, allow_negative=False)),
    "columns": lambda x, rows: columns(x, rows, np.arange(N_GENES)),
}


@pytest.mark.parametrize("rows", [ALL, EVERY_THIRD, STRETCH, np.array([3]), np.array([], int)], ids=len)
def test_blocks_are_of_the_same_cells_wherever_these_lie(stored, rows):
    found = list(checked_blocks(stored.X, rows, allow_negative=False))
    starts = list(range(0, len(rows), CELLS_PER_BLOCK))
    assert [place for place, _ in found] == [slice(i, min(i + CELLS_PER_BLOCK, len(rows))) for i in starts]
    for place, block in found:
        values = block.toarray() if sp.issparse(block) else block
        np.testing.assert_array_equal(values, counts()[rows[place]])


def counted_chunks(rows_of_chunk, convert):
    """A dask array, and how often each of its chunks is computed, by its first row."""
    computed: list[int] = []

    def compute(chunk, block_info):
        computed.append(block_info[0]["array-location"][0][0])
        return convert(chunk)

    x = da.from_array(counts().astype(np.float64), chunks=(rows_of_chunk, -1))
    with_info = x.map_blocks(compute, dtype=x.dtype, meta=convert(np.zeros((0, 0))))
    computed.clear()
    return with_info, computed


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("convert", [np.asarray, sp.csr_matrix], ids=["dense", "csr"])
@pytest.mark.parametrize("rows_of_chunk", [25, 83, 250, 1000])
@pytest.mark.parametrize("rows", [ALL, EVERY_THIRD, STRETCH, np.array([5, 194])], ids=len)
def test_every_chunk_of_a_dask_array_is_computed_once_if_any_of_its_rows_is_wanted(
    reader, convert, rows_of_chunk, rows
):
    x, computed = counted_chunks(rows_of_chunk, convert)
    with dask.config.set(scheduler="synchronous"):
        READERS[reader](x, rows)
    assert sorted(computed) == np.unique(rows // rows_of_chunk * rows_of_chunk).tolist()


def test_scoring_computes_every_chunk_once_to_learn_and_once_to_score_and_looks_at_the_first():
    x, computed = counted_chunks(75, sp.csr_matrix)
    with dask.config.set(scheduler="synchronous"):
        ps.tl.viper(cells(x=x), NETWORK, min_targets=5)
    assert sorted(computed) == sorted([0] + 2 * [0, 75, 150, 225, 300])


class File:
    """A matrix that is not in memory, which knows what of it was read and what of this is still there."""

    def __init__(self, x, chunks):
        self._x, self.shape, self.dtype = x, x.shape, x.dtype
        if chunks:
            self.chunks = chunks
        self.read: list[np.ndarray] = []
        self.most_alive, self._parts = 0, []

    def __getitem__(self, rows):
        self.most_alive = max(self.most_alive, sum(part() is not None for part in self._parts))
        self.read.append(np.arange(self.shape[0])[rows])
        part = self._x[rows].copy()
        self._parts.append(weakref.ref(part.data if sp.issparse(part) else part))
        return part


@pytest.mark.parametrize(
    ("convert", "chunks", "ends"),
    [
        (sp.csr_array, None, [175, 325]),
        (np.asarray, (60, 40), [180, 300, 325]),  # whole chunks
        (np.asarray, (250, 7), [250, 325]),
    ],
)
def test_files_are_read_in_large_pieces_each_row_once_and_one_piece_at_a_time(convert, chunks, ends):
    x = File(convert(counts()), chunks)
    for _, block in checked_blocks(x, ALL, allow_negative=False):
        assert block.shape[0] <= CELLS_PER_BLOCK
    assert [(rows[0], rows[-1] + 1) for rows in x.read] == list(zip([0, *ends[:-1]], ends, strict=True))
    assert x.most_alive == 0  # what was read before is gone when more is read


def test_few_rows_of_a_file_are_read_alone():
    x = File(sp.csr_array(counts()), None)
    (_, block), *_ = checked_blocks(x, np.array([5, 100, 324]), allow_negative=False)
    assert [rows.tolist() for rows in x.read] == [[5, 100], [324]]
    np.testing.assert_array_equal(block.toarray(), counts()[[5, 100, 324]])


def test_a_dask_array_of_unknown_size_is_refused():
    x = da.from_array(counts().astype(np.float64), chunks=(100, -1))
    with pytest.raises(ValueError, match=r"unknown number of cells; call X.compute_chunk_sizes\(\) first"):
        ps.ARACNe().fit(x[x[:, 0] > 0], ["g1"], GENES)


def peak(folder, n_cells):
    """Bytes of numpy and Python memory that scoring lazy data to a file takes at most."""
    rng = np.random.default_rng(0)
    x = sp.csr_matrix(
        (
            rng.random(n_cells * 50, np.float32),
            (np.arange(50) * 10 + rng.integers(10, size=(n_cells, 50))).ravel().astype(np.int32),
            np.arange(0, n_cells * 50 + 1, 50),
        ),
        shape=(n_cells, 500),
    )
    adata = ad.AnnData(x)
    net = pd.DataFrame({"source": np.repeat([f"R{i}" for i in range(100)], 20), "weight": 1.0})
    net["target"] = np.concatenate([rng.choice(adata.var_names, 20, replace=False) for _ in range(100)])
    adata = lazy(folder, adata)
    ps.tl.viper(adata[:300].to_memory(), net, min_targets=5)
    tracemalloc.start()
    try:
        ps.tl.viper(adata, net, min_targets=5, out=folder / "activity.zarr", n_threads=1)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_follow_the_number_of_cells(tmp_path_factory, monkeypatch):
    monkeypatch.setattr(_read, "CELLS_PER_BLOCK", 512)
    monkeypatch.setattr(_read, "CELLS_PER_READ", 4096)
    small, large = (peak(tmp_path_factory.mktemp("memory"), n_cells) for n_cells in (8000, 20_000))  # several reads
    of_cells = 12_000 * 50 * 8
    of_scores = 12_000 * 100 * 4
    assert large - small < min(of_cells, of_scores) / 2


# --- what else is in a file -------------------------------------------------------------------------------------------


@pytest.fixture(params=["zarr", "h5ad"])
def analysed(request, tmp_path):
    """Lazy data that hold networks, activities and colours."""
    adata = cells()
    adata.uns["cell_type_colors"] = ["#ff0000", "#00ff00", "#0000ff"]
    aracne(adata)
    viper_against_a_reference(adata)
    return adata, lazy(tmp_path, adata, request.param)


def test_what_is_stored_in_a_lazy_file_is_read_when_it_is_asked_for(analysed):
    memory, file = analysed
    for group in (None, "B/C cell"):
        assert state(ps.get.network(file, group).astype(str)) == state(ps.get.network(memory, group).astype(str))
    for adata in analysed:
        ps.tl.viper(adata, groupby="cell_type", groups=["B/C cell"], min_targets=2)
        ps.tl.rank_regulators(adata, "cell_type", key="against")
        ps.tl.compare_networks(adata, "B/C cell", "NK", n_permutations=10)
    assert state(file.obsm["viper"]) == state(memory.obsm["viper"])
    assert state(ps.get.regulators(file)) == state(ps.get.regulators(memory))
    assert state(ps.get.comparison(file)) == state(ps.get.comparison(memory))
    found, expected = (ps.get.activity(adata, key="against") for adata in (file, memory))
    assert state(found.X) == state(expected.X)
    assert found.uns["cell_type_colors"] == expected.uns["cell_type_colors"]
    assert found.obs["cell_type"].tolist() == expected.obs["cell_type"].tolist()
    assert state(found.obsm["X_pca"]) == state(expected.obsm["X_pca"])


def test_what_an_earlier_call_left_in_lazy_obs_goes(analysed):
    _, file = analysed
    assert "against_network" in file.obs.columns
    ps.tl.viper(file, NETWORK, min_targets=5, key_added="against")
    assert "against_network" not in file.obs.columns
    assert sorted(file.obs.columns) == ["cell_type", "depth", "healthy"]
    assert file.obs_names.tolist() == [f"cell{i}" for i in range(N_CELLS)]


def test_a_figure_of_lazy_data_has_the_colours_of_the_groups(analysed):
    _, file = analysed
    assert ps.pl._axes.group_colours(file, "cell_type", LABELS) == dict(
        zip(LABELS, ["#ff0000", "#00ff00", "#0000ff"], strict=True)
    )


WRITERS = {
    "aracne": lambda a: ps.tl.aracne(a, ["g1"], n_subnetworks=1),
    "viper": lambda a: ps.tl.viper(a, NETWORK, min_targets=5),
    "viper to a copy": lambda a: ps.tl.viper(a, NETWORK, min_targets=5, copy=True),
    "viper to a copy and a file": lambda a: ps.tl.viper(a, NETWORK, min_targets=5, out="scores.h5ad", copy=True),
    "msviper": lambda a: ps.tl.msviper(a, "cell_type", "NK", network=NETWORK, min_targets=5),
    "rank_regulators": lambda a: ps.tl.rank_regulators(a, "cell_type"),
    "compare_networks": lambda a: ps.tl.compare_networks(a, "NK", "T"),
    "similarity": ps.tl.similarity,
    "pathways": lambda a: ps.tl.pathways(a, {"set": ["R0", "R1"]}),
    "regulator_conservation": lambda a: ps.tl.regulator_conservation(a, a),
    "regulators": lambda a: ps.pp.regulators(a, ["g1"]),
}


@pytest.mark.parametrize("call", WRITERS.values(), ids=WRITERS)
def test_a_view_of_a_backed_file_is_refused_before_anything_is_read(tmp_path, monkeypatch, call):
    part = backed(tmp_path, cells())[:200]
    monkeypatch.setattr(_read, "read", None)
    with pytest.raises(ValueError, match=r"a view\) of a backed file.*adata.to_memory\(\).*groups=.*out="):
        call(part)


@pytest.mark.parametrize("suffix", ["h5ad", "zarr"])
def test_scores_of_a_view_of_a_backed_file_go_to_a_file_of_their_own(tmp_path, suffix):
    part = backed(tmp_path, cells())[:200]
    ps.tl.viper(part, NETWORK, min_targets=5, out=tmp_path / f"scores.{suffix}")
    of_memory = cells()[:200].copy()
    ps.tl.viper(of_memory, NETWORK, min_targets=5)
    found = getattr(ad, f"read_{suffix}")(tmp_path / f"scores.{suffix}")
    np.testing.assert_array_equal(found.X, of_memory.obsm["viper"])
    assert found.obs_names.equals(part.obs_names)


def test_nullable_booleans_choose_genes_and_cells(expected):
    adata = cells()
    adata.var = adata.var.astype("boolean")
    adata.obs["healthy"] = adata.obs["healthy"].astype("boolean")
    assert computed(aracne, adata) == expected[aracne]
    assert computed(viper_against_a_reference, adata) == expected[viper_against_a_reference]


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda a: ps.tl.viper(a, NETWORK, copy=True), ValueError, "copy=True would read the whole .* file"),
        (lambda a: ps.tl.viper(a, NETWORK, groupby="x"), KeyError, "which has: 'cell_type', 'healthy', 'depth'"),
        (lambda a: ps.tl.viper(a, NETWORK, reference="x"), KeyError, "obs: 'cell_type', 'healthy', 'depth'"),
        (lambda a: ps.tl.aracne(a, ["g1"], depth="x"), KeyError, "which has: 'cell_type', 'healthy', 'depth'"),
        (lambda a: ps.tl.aracne(a, ["g1"], mask_var="x"), KeyError, "which has: 'regulator', 'target'"),
        (lambda a: ps.tl.aracne(a, ["g1"], mask_var=[True]), ValueError, "mask_var must be 40 booleans"),
    ],
    ids=["copy", "groupby", "reference", "depth", "mask", "booleans"],
)
def test_errors_of_lazy_data_name_what_is_there(tmp_path, call, error, match):
    adata = lazy(tmp_path, cells())
    with pytest.raises(error, match=match):
        call(adata)
    assert not adata.uns
    assert list(adata.obsm) == ["X_pca"]
