"""Seeds: every (group, subnetwork) has its own child, so that results depend on no schedule."""

from __future__ import annotations

import numpy as np

type Seed = int | np.random.SeedSequence | np.random.Generator


def seed_sequence(rng: Seed) -> np.random.SeedSequence:
    """The seed sequence that ``rng`` stands for; a Generator is drawn from once."""
    if isinstance(rng, np.random.SeedSequence):
        return rng
    if isinstance(rng, np.random.Generator):
        return np.random.SeedSequence(int(rng.integers(2**63)))
    if isinstance(rng, int | np.integer) and not isinstance(rng, bool) and rng >= 0:
        return np.random.SeedSequence(int(rng))
    msg = f"rng is {rng!r}; give a whole number >= 0, a numpy SeedSequence or a numpy Generator."
    raise ValueError(msg)


def child(parent: np.random.SeedSequence, index: int) -> np.random.SeedSequence:
    """The child that ``parent.spawn`` would give at ``index``, without changing the parent."""
    return np.random.SeedSequence(parent.entropy, spawn_key=(*parent.spawn_key, index), pool_size=parent.pool_size)


def kernel_seed(sequence: np.random.SeedSequence) -> int:
    """One 64-bit word for the counter-based generator of the kernels."""
    return int(sequence.generate_state(1, np.uint64)[0])
