"""Compare with values of R viper, NaRnEA and pyviper.

    python examples/check_viper_reference.py FOLDER

FOLDER holds ``viper_small/``, which is not shipped: networks, expression and what the programs make of them. Prints a
line for every value: what it is compared with and the largest difference. A difference above 1e-9 that is not meant
fails, and so does a value that nothing is compared with. Where pysces differs on purpose, the line says why.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from anndata import AnnData
from scipy import stats
from viper_reference import EDGE, Data, Reference, alike

import pysces as ps
from pysces._csr import as_csr
from pysces._enrich import meta, mixture
from pysces._enrich.area import normalised_scores
from pysces._enrich.null import against_null
from pysces._enrich.resampling import ResampledMoments
from pysces._enrich.scorers import Bootstrapped
from pysces._enrich.shadow import Shadows, find_shadows, without_shared
from pysces._enrich.similarity import SIGMOID, similarity
from pysces._enrich.synergy import co_regulons, find_combinations, synergy_pvalues
from pysces._network import code_network
from pysces.estimators import Pleiotropy
from pysces.estimators._learning import Cells, learn_signature

if TYPE_CHECKING:
    from pysces._regulons import Regulons

TAIL = "one tail is measured in each cell here, there in all cells at once: see the next line"
SEVEN_DIGITS = "normal quantiles have 7 digits there"
NULL_GENES = "R ranks null signatures among all genes, here they are ranked as cells are: see the next line"
NULL_TAIL = "R interpolates the null between 14 points, and fits its tail to the last scores instead of the largest"


def signatures(r: Reference, data: Data) -> None:
    """Signatures with and without the gene filter, and ties."""
    split = "not reproduced: most likely R's rounding, which splits ties of t that are tied here"
    for suffix in ("", "_nofilter"):
        options = {"filter_genes": not suffix}
        for name in ("none", "scale", "rank", "mad", "ttest"):
            found = data.nes(data.network, data.x, signature=name, **options)
            r.check(f"viper_{name}{suffix}", f"VIPER({name})", found)
        for name, why in (("scale", ""), ("rank", ""), ("ttest", split), ("none", TAIL)):
            found = data.nes(data.network, data.tied, signature=name, **options)
            r.check(f"viper_tied_{name}{suffix}", f"VIPER({name})", found, why=why)
        found = data.of_matrix(data.tied, filtered=not suffix)
        r.check(f"viper_tied_none{suffix}", "aREA, one tail of all cells", found)
    found = data.nes(data.network, data.tied, signature="mad", min_targets=1)
    why = "166 of 300 genes have a MAD of 0: their signature is infinite in R, missing here"
    r.check("viper_tied_mad", "VIPER(mad)", found, why=why)


def options_of_area(r: Reference, data: Data) -> None:
    """Edges to absent genes, constant genes, sizes, weights, missing values, edges given twice."""
    constant = data.x.copy()
    constant[:, 4:9] = 1
    r.check("viper_constgene_scale", "VIPER(scale), 5 constant genes", data.nes(data.network, constant))
    r.check("viper_scale_edge", "VIPER(scale), absent targets", data.nes(data.edge, data.x))
    found = data.nes(data.network, data.x, adaptive_size=True, min_targets=10)
    r.check("viper_scale_adaptive20", "VIPER(scale, adaptive_size), regulators of size >= 10", found)
    r.check("viper_scale_es", "VIPER(scale, normalised=False)", data.nes(data.network, data.x, normalised=False))
    weights = dict(zip(data.genes, r.values["wm"][:, 0], strict=True))
    with_missing = r.values["na_signature"].T
    with_missing = np.where(np.isnan(with_missing), np.nan, with_missing)  # R's NA is a NaN that numpy warns of
    r.say("wm", "input of area_wm_*")
    r.say("na_signature", "input of area_na_*")
    options: dict[str, Any] = {"filter_genes": False, "min_targets": 20}
    for kind in ("nes", "es"):
        options["normalised"] = kind == "nes"
        for branch in ("loop", "matrix"):
            r.check(f"area_{branch}_{kind}", "VIPER(scale), all genes", data.nes(data.network, data.x, **options))
        found = data.nes(data.network, data.x, gene_weights=weights, **options)
        r.check(f"area_wm_{kind}", "VIPER(scale, gene_weights)", found)
        found = data.nes(data.network, with_missing, signature="none", **options)
        r.check(f"area_na_{kind}", "VIPER(none), NaN in X", found)
    options["normalised"] = True
    tied = data.nes(data.network, data.tied, signature="none", **options)
    r.check("area_tied_loop_nes", "VIPER(none), all genes", tied)
    r.check("area_tied_matrix_nes", "VIPER(none), all genes", tied, why=TAIL)
    r.check("area_tied_matrix_nes", "aREA, one tail of all cells", data.of_matrix(data.tied, filtered=False))
    again = data.network.iloc[:3]
    again = again.assign(weight=-again["weight"] / 2, likelihood=[0.9, 0.8, 0.7])
    twice = pd.concat([data.network, again], ignore_index=True)
    found = data.nes(ps.pp.merge_duplicates(twice, "first"), data.x, **options)
    r.check("area_dup_matrix", "VIPER(scale), pp.merge_duplicates('first')", found)
    why = "R counts both edges, here edges given twice are refused: see the next line"
    r.check("area_dup_loop", "VIPER(scale), pp.merge_duplicates('first')", found, why=why)
    names, regulons = code_network(twice, data.genes)
    z = (data.x - data.x.mean(axis=0)) / data.x.std(axis=0, ddof=1)
    found = pd.DataFrame(normalised_scores(as_csr(z), np.zeros(len(data.genes)), regulons, 1), columns=names)
    r.check("area_dup_loop", "aREA of both edges", found)


def reference_cells(r: Reference, data: Data) -> None:
    """Signatures against 20 reference samples, and null models of them."""
    genes = np.arange(len(data.genes))
    for name, key in (("scale", "zscore"), ("ttest", "ttest"), ("mean", "mean")):
        signature = learn_signature(Cells(data.x, data.reference, genes, allow_negative=True), name, own=False)
        found = signature.of_cells(as_csr(data.x[20:]), genes.astype(np.int32)).data.reshape(40, -1)
        if key == "ttest":
            found = np.sign(found) * stats.norm.isf(stats.t.sf(np.abs(found), 19))
        largest = np.abs(r.values[f"vsig_{key}"]).max()
        r.check(f"vsig_{key}", f"signature {name}, over the largest", found / largest, r[f"vsig_{key}"] / largest)
    for key, name, n_null in (
        ("zscore", "scale", 200), ("ttest", "ttest", 200), ("mean", "mean", 200), ("zscore_perm", "scale", 600),
        ("mean600", "mean", 600),
    ):  # fmt: skip
        null, wanted, tail = r.values[f"vsig_{key}_null"].T, r[f"vsig_{key}_viper"], NULL_TAIL * (n_null > 200)
        options = {"signature": name, "reference": data.reference, "rows": np.arange(20, 60)}
        found = data.nes(data.network, data.x, null=null, **options)
        r.check(f"vsig_{key}_viper", f"VIPER({name}, reference), null= R's {n_null}", found, why=NULL_GENES)
        es = data.nes(data.network, data.x, normalised=False, **options)
        null_es = data.nes(data.network, null, signature="none", filter_genes=False, normalised=False)
        found = pd.DataFrame(against_null(es.to_numpy(), null_es.to_numpy()), columns=es.columns)
        r.check(f"vsig_{key}_viper", "ES against those of the null among all genes", found, why=tail)
        own = data.nes(data.network, data.x, n_null=n_null, **options)
        why = f"input; with the own null of pysces: {alike(own, wanted)}"
        r.say(f"vsig_{key}_null", f"VIPER({name}, reference, n_null={n_null})", why=why)


def pleiotropy(r: Reference, data: Data) -> None:
    """Correction for regulators that share targets."""
    unit = data.pleiotropy.assign(likelihood=1.0)
    networks = {"scale": data.pleiotropy, "none": data.pleiotropy, "morlik1": unit}
    networks["unitlik"] = unit.assign(weight=np.sign(unit["weight"]))
    at_least_5, absolute = Pleiotropy(min_overlap=5), Pleiotropy(min_overlap=5, method="absolute")
    for key, option in (
        ("viper_scale_pleio", True), ("viper_scale_pleio_t5", at_least_5), ("viper_scale_pleio_t5_abs", absolute),
        ("viper_scale_pleio_t5_top6", Pleiotropy(6, 5, penalty=2)), *((f"pleio/{name}", False) for name in networks),
        *((f"pleio/{name}_pleio", True) for name in networks), ("pleio/scale_pleio_pen2", Pleiotropy(penalty=2)),
        ("pleio/scale_pleio_top8", Pleiotropy(8)), ("pleio/scale_pleio_top8_abs", Pleiotropy(8, method="absolute")),
        ("pleio/scale_pleio_abs", Pleiotropy(method="absolute")),
    ):  # fmt: skip
        name = key.split("/")[-1].split("_", maxsplit=1)[0]
        network, x = (networks[name], data.x_pleiotropy) if "/" in key else (data.network, data.x)
        signature = "none" if name == "none" else "scale"
        found = data.nes(network, x, signature=signature, min_targets=5, pleiotropy=option)
        what = f"VIPER({signature}{', pleiotropy' * bool(option)})"
        if np.isnan(r.values[key]).any():
            r.say(key, what, why=f"R crashed; all finite here: {np.isfinite(found).all(axis=None)}")
        else:
            r.check(key, what, found)
    r.say("pleio/sig_scale", "input of pleio/scale*")


def bootstraps(r: Reference, data: Data) -> None:
    """Reference samples drawn again: R's draws."""
    kept = np.flatnonzero(np.isin(data.genes, r.table("r_boot_target_order.txt", ["gene"])["gene"]))
    names, regulons = code_network(data.network, data.genes)
    drawn = r.values["boot_idx"].astype(np.intp) - (r.values["boot_idx"].min() > 0)
    counts = np.stack([np.bincount(sample, minlength=60) for sample in drawn.T]).astype(np.float64)
    moments, block = ResampledMoments(counts, len(kept)), as_csr(data.x[:, kept])
    moments.add(block)
    scores = Bootstrapped(*moments.mean_and_sd(), regulons.restrict(kept, len(data.genes)))(block)
    r.say("boot_idx", "input of boot_*")
    r.say("r_boot_target_order.txt", "input of boot_*: only targets are ranked")
    for key, field in (("boot_nes", scores.nes), ("boot_sd", scores.sd)):
        found = pd.DataFrame(field, columns=names)
        r.check(f"{key}_targetorder", "VIPER(scale, n_bootstraps), R's draws", found)
        why = f"R takes moments in one order of genes and cells in another; {alike(found, r[key])}"
        r.check(key, "VIPER(scale, n_bootstraps), R's draws", found, why=why)


def several_networks(r: Reference, data: Data) -> None:
    """Scores of two networks in one (metaVIPER)."""
    parts = [data.nes(network, data.x) for network in (data.network, data.network2)]
    names = sorted(set(parts[0].columns) | set(parts[1].columns))
    scores = [part.reindex(columns=names).to_numpy() for part in parts]
    as_zero = [np.nan_to_num(score) for score in scores]
    why = "a network that lacks a regulator does not count here, as a score of 0 in R: see the next line"
    for keys, weights in (
        (("meta_mvws1", "pyviper/meta_1"), 1), (("meta_mvws2", "pyviper/meta_2"), 2),
        (("meta_mvws10", "pyviper/meta_10"), 10), (("meta_mvws_sig",), (4, 2)),
    ):  # fmt: skip
        found = pd.DataFrame(meta.integrate(scores, weights), columns=names)
        for key in keys:
            r.check(key, f"VIPER of each, weights {weights}", found, why=why * (len(keys) == 1))
    found = pd.DataFrame(meta.integrate(as_zero, (4, 2)), columns=names)
    r.check("meta_mvws_sig", "VIPER of each, 0 where absent, weights (4, 2)", found)
    adata = data.adata()
    ps.tl.viper(adata, {"1": data.network, "2": data.network2}, network_weights=1.0)
    r.check("meta_mvws1", "tl.viper, stored as float32", adata.obsm["viper"], limit=1e-6)
    best = meta.best_network(scores)
    found = pd.DataFrame(np.stack(as_zero)[best, np.arange(60)], columns=names)
    why = f"its 50 regulators at either end are the same 18, so the first wins; here in {(best == 0).sum()} of 60 cells"
    r.check("pyviper/meta_auto", "VIPER of the best network of each cell", found, why=why)
    r.check("integrateSignatures", "integrate(bootTtest, 1)", meta.integrate(list(r.values["bootTtest"].T[:, None]), 1))


def narnea(r: Reference, data: Data) -> None:
    """NaRnEA of one network and of two."""
    options = {"enrichment": "narnea", "filter_genes": False}
    pair, scores = (data.network, data.network2), {}
    for kind, suffix, why in (
        ("nes", "", ""), ("pes", "_pes", "R's form for one sample takes other extremes for the largest NES"),
    ):  # fmt: skip
        found = data.nes(data.network, data.x, kind, **options)
        r.check(f"narnea/{kind}", "VIPER(narnea)", found)
        r.check(f"narnea/single_{kind}", "VIPER(narnea), first three cells", found.iloc[:3], why=why)
        r.check(f"pyviper/narnea{suffix}", "VIPER(narnea)", found, why=SEVEN_DIGITS)
        scores[kind] = [data.nes(network, data.x, kind, min_targets=30, **options) for network in pair]
    names = sorted(set().union(*(part.columns for part in scores["nes"])))
    nes, pes = ([part.reindex(columns=names).to_numpy() for part in scores[kind]] for kind in ("nes", "pes"))
    votes = meta.vote(pes)
    r.check("narnea/meta_w", "vote", votes)
    for key, weights in (("meta", votes), ("meta_un", np.ones_like(votes))):
        for kind, values in zip(("nes", "pes"), meta.weighted(nes, pes, weights), strict=True):
            found = pd.DataFrame(values, columns=names)
            r.check(f"narnea/{key}_{kind}", "VIPER(narnea) of each, weighted", found)
            if key == "meta":
                name = f"pyviper/meta_narnea{'_pes' * (kind == 'pes')}"
                r.check(name, "VIPER(narnea) of each, weighted", found, why=SEVEN_DIGITS)
    r.say("r_narnea_ledge_sample1.tsv", "-", why="pysces has no leading edge of NaRnEA")


def contrast(adata: AnnData, network: pd.DataFrame, group: str = "test", **options: Any) -> tuple[pd.DataFrame, Any]:
    """NES, and all tables of msVIPER."""
    groupby = "side" if group == "test" else "third"
    ps.tl.msviper(adata, groupby, group, network=network, **({"n_permutations": 0} | options))
    return pd.DataFrame([ps.get.msviper(adata).set_index("source")["nes"]]), adata.uns["msviper"]


def contrasts(r: Reference, data: Data) -> None:
    """The msVIPER of samples 21 to 60 against 1 to 20."""
    adata = data.adata()
    nes, tables = contrast(adata, data.network)
    edges = tables["leading_edge"].query("in_edge").groupby("source", observed=True)["target"].agg(set)
    lines = [line.split("\t") for line in (r.folder / "r_msviper_ledge.tsv").read_text().splitlines()]
    same = sum(edges[name] == set(genes) for name, *genes in lines)
    r.failed += same < len(lines)
    z = contrast(adata, data.network, filter_genes=False)[1]["signature"]["z"].to_numpy()
    r.check("ms_sig", "tl.msviper, signature", [z])
    r.check("ttest_stat", "tl.msviper, signature as t", [np.sign(z) * stats.t.isf(stats.norm.sf(np.abs(z)), 58)])
    r.check("ttest_p", "tl.msviper, signature as p", [2 * stats.norm.sf(np.abs(z))])
    groups = [contrast(adata, data.network, label, filter_genes=False)[1]["signature"]["z"] for label in "abc"]
    r.check("scaleGroups", "tl.msviper, signature of groups against the rest", groups)
    r.check("ms_nes", "tl.msviper(n_permutations=0)", nes)
    results = tables["results"].set_index("source")
    r.check("ms_p", "tl.msviper(n_permutations=0)", pd.DataFrame([np.exp(results["log_pvalue"])]))
    r.say("r_msviper_ledge.tsv", "tl.msviper, leading_edge: same sets", f"{same} of {len(lines)}")
    found = data.nes(data.network, r.values["ms_sig"].T, signature="none", pleiotropy=True)
    r.check("ms_nes_pleio", "VIPER(none, pleiotropy) of the signature", found)
    r.say("ttestNull", "input of ms_nes_null, ms_p_null")
    null = data.nes(data.network, r.values["ttestNull"].T, signature="none")
    found = pd.DataFrame(against_null(nes[null.columns].to_numpy(), null.to_numpy()), columns=null.columns)
    r.check("ms_nes_null", "NES against R's null", found, why=NULL_TAIL)
    p = 2 * stats.norm.sf(found[r["ms_p_null"].columns].abs())
    r.check("ms_p_null", "NES against R's null, as p", p, why=NULL_TAIL)
    own, _ = contrast(adata, data.network, n_permutations=1000)
    r.check("ms_nes_null", "tl.msviper(n_permutations=1000)", own, why=f"own draws; {alike(own, r['ms_nes_null'])}")
    r.say("bootTtest", "input of ms_boot_*")
    drawn = data.nes(data.network, r.values["bootTtest"].T, signature="none")
    r.check("ms_boot_nesbt", "VIPER(none) of R's draws", drawn)
    for key, of in (("nes", "mean"), ("mean", "mean"), ("median", "median"), ("se", "sem")):
        r.check(f"ms_boot_{key}", f"VIPER(none) of R's draws, {of}", pd.DataFrame([drawn.agg(of)]))
    why = "pysces has no mode of bootstraps"
    r.check("ms_boot_mode", "VIPER(none) of R's draws, mean", pd.DataFrame([drawn.mean()]), why=why)
    own, _ = contrast(adata, data.network, n_bootstraps=200)
    r.check("ms_boot_mean", "tl.msviper(n_bootstraps=200)", own, why=f"own draws; {alike(own, r['ms_boot_mean'])}")


def regulators_together(r: Reference, data: Data) -> None:
    """Shadows, co-regulons and their synergy; some of it is random in R."""
    names, regulons, kept = data.coded()
    z, seed = r.values["ms_sig"][kept, 0], np.random.SeedSequence(0)

    def score(some: Regulons) -> np.ndarray:
        return normalised_scores(as_csr(z[None]), np.zeros(len(z)), some, 1)[0]

    nes = score(regulons)
    pairs = {tuple(map(names.index, pair)) for pair in r.table("r_shadow_pairs.tsv", ["by", "on"]).to_numpy()}
    own = find_shadows(z, regulons, np.arange(len(names)), alpha=0.05, more_than=5, seed=seed, n_threads=1)
    found = set(zip(own.caster.tolist(), own.shadowed.tolist(), strict=True))
    why = f"random removals; {len(found - pairs)} pairs here that are not in R"
    r.say("r_shadow_pairs.tsv", "find_shadows: same pairs", f"{len(found & pairs)} of {len(pairs)}", why)
    shadows = Shadows(*np.array(sorted(pairs)).T, np.zeros(len(pairs), np.int64), np.zeros(len(pairs)))
    found = pd.DataFrame([score(without_shared(regulons, shadows))], columns=names)
    r.check("shadow_nes", "NES without the targets in R's shadows", found)
    keys = list(r["synergy_p"].columns)
    sets = [tuple(sorted(map(names.index, key.split("--")))) for key in keys]
    together = pd.DataFrame([[*nes, *score(co_regulons(regulons, nes, sets))]], columns=[*names, *keys])
    r.check("comb_nes", "NES of co-regulons", together)
    r.check("comb_p", "NES of co-regulons, as p", 2 * stats.norm.sf(together[r["comb_p"].columns].abs()))
    chosen = find_combinations(score, regulons, nes, np.unique(sets), least_targets=5).members
    p = r["comb_p"].iloc[0]
    kept_by_r = {own for own, key in zip(sets, keys, strict=True) if p[key] < p[key.split("--")].min()}
    agree = f"{len(kept_by_r & set(chosen))} of {len(kept_by_r)}"
    r.say("comb_p", "find_combinations: same pairs below both members", agree, f"{len(chosen)} found here")
    found = pd.DataFrame([synergy_pvalues(z, regulons, nes, sets, seed)], columns=keys)
    r.check("synergy_p", "synergy_pvalues", found, why=f"random removals; {alike(found, r['synergy_p'])}")


def similar_cells(r: Reference, data: Data) -> None:
    """Similarity of samples by their regulators (viperSimilarity)."""
    nes = data.nes(data.network, data.x)
    options: dict[str, Any] = {"n_top": None, "weights": SIGMOID, "scale": False, "n_threads": 1}
    for tail in ("two.sided", "greater", "less"):
        options["tail"] = tail.replace(".", "-")
        for prefix, weighing in (("", {}), ("ws4_", {"weights": 4}), ("nn8_", {"n_top": 8})):
            found = similarity(nes.to_numpy(), **(options | weighing))
            r.check(f"vsim_{prefix}{tail}", "similarity of float64 scores", found)
    found = similarity(nes.to_numpy(), **(options | {"tail": "two-sided", "scale": True}))
    r.check("vsim_scaled", "similarity of float64 scores", found)
    adata = data.adata()
    ps.tl.viper(adata, data.network)
    ps.tl.similarity(adata)
    r.check("vsim_two.sided", "tl.viper, tl.similarity, stored as float32", adata.obsp["viper_similarity"], limit=1e-6)


def networks(r: Reference, data: Data) -> None:
    """Regulons from a network of ARACNe, and pruning."""
    key, edges = "r_aracne2regulon.tsv", r.table("aracne_3col.txt", ["source", "target", "mi"])
    wanted = r.table(key, EDGE).set_index(EDGE[:2])
    found = ps.pp.regulons(AnnData(data.x, var=pd.DataFrame(index=data.genes)), edges, depth=None)
    fit, own = (r.folder / "r_aracne_fit.txt").read_text().rsplit("mu: ", maxsplit=1)[1], found.attrs["mixture"]
    mean, sd = (np.array([float(number) for number in part.split(",")]) for part in fit.split(". sigma: "))
    found = found.set_index(EDGE[:2]).loc[wanted.index]
    r.check(key, "pp.regulons, likelihood", found["likelihood"], wanted["likelihood"])
    r.check(key, "pp.regulons, weight", found["weight"], wanted["weight"], limit=1e-5)
    given = mixture.modes_of_regulation(found["scc"].to_numpy(), mean, sd)
    r.check(key, "the same with R's fit", given, wanted["weight"])
    r.check("r_aracne_fit.txt", "pp.regulons, fit", [own["mean"], own["sd"]], [mean, sd], limit=1e-5)
    for key, options in (
        ("r_prune30.tsv", {"max_targets": 30}), ("r_prune30_elim.tsv", {"max_targets": 30, "eliminate": True}),
        ("r_prune10_adaptive.tsv", {"max_targets": 10, "adaptive": True}),
    ):  # fmt: skip
        wanted = r.table(key, EDGE).set_index(EDGE[:2]).sort_index()
        found = ps.pp.prune_regulons(data.network, **options).set_index(EDGE[:2]).sort_index()
        same = found.index.equals(wanted.index)
        r.check(key, f"pp.prune_regulons, same edges: {same}", found if same else np.nan, wanted)


def pyviper(r: Reference, data: Data) -> None:
    """Scores by pyviper."""
    for name in ("none", "scale", "rank", "mad", "ttest"):
        r.check(f"pyviper/area_{name}", f"VIPER({name})", data.nes(data.network, data.x, signature=name))
    r.check("pyviper/area_ordinal", "VIPER(scale)", data.nes(data.network, data.x))
    found = data.nes(data.network, data.x, filter_genes=False)
    r.check("pyviper/area_scale_nofilter", "VIPER(scale), all genes", found)
    r.check("pyviper/area_edge_scale", "VIPER(scale), absent targets", data.nes(data.edge, data.x))
    r.check("pyviper/area_tied_rank", "VIPER(rank)", data.nes(data.network, data.tied, signature="rank"))
    tied = data.nes(data.network, data.tied, signature="none")
    r.check("pyviper/area_tied_none_batched", "VIPER(none)", tied, why="one tail is measured in each batch there")
    r.check("pyviper/area_tied_none", "VIPER(none)", tied, why=TAIL)
    r.check("pyviper/area_tied_none", "aREA, one tail of all cells", data.of_matrix(data.tied, filtered=True))
    r.check("pyviper/area_tied_ordinal", "VIPER(none)", tied, why="ties in gene order there, average ranks here")
    for key in ("area_tied_scale", "area_constgene"):
        all_missing = np.isnan(r.values[f"pyviper/{key}"]).all()
        r.say(f"pyviper/{key}", "-", why=f"a constant gene makes all scores NaN there ({all_missing}), is missing here")
    found = data.nes(data.pleiotropy, data.x_pleiotropy, min_targets=5, pleiotropy=True)
    for key in ("pleio_prescaled", "pleio_method_scale"):
        r.check(f"pyviper/{key}", "VIPER(scale, pleiotropy)", found)


def single_precision(data: Data) -> None:
    """Scores of the float32 copy of the expression."""
    print("\nfloat32 X: largest difference of NES from its float64 copy, and from X before it was rounded")
    single = data.x.astype(np.float32)
    for name in ("none", "scale", "rank", "mad", "ttest"):
        found = data.nes(data.network, single, signature=name)
        others = (data.nes(data.network, x, signature=name) for x in (single.astype(np.float64), data.x))
        print(f"{name:30s} {' '.join(f'{np.abs(found - other).max(axis=None):8.1e}' for other in others)}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder / "viper_small"
    reference, data = Reference(folder), Data(folder)
    for section in (
        signatures, options_of_area, reference_cells, pleiotropy, bootstraps, several_networks, narnea, contrasts,
        regulators_together, similar_cells, networks, pyviper,
    ):  # fmt: skip
        section(reference, data)
    single_precision(data)
    for key in sorted(reference.unseen):
        print(f"{key:30s} compared with nothing: FAILED")
    sys.exit(1 if reference.failed or reference.unseen else 0)


if __name__ == "__main__":
    main()
