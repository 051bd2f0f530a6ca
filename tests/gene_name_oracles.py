"""Translation of gene names, pair by pair."""

from __future__ import annotations

import re


def translations(names, pairs):
    """Name -> translation, of names that have one, by rule: the only one in the table, and that of no other name."""

    def plain(name):
        return re.sub(r"^(ENS[A-Z]*\d{11})\.\d+$", r"\1", name)

    pairs = {(plain(name), new) for name, new in pairs}
    found = {}
    for name in names:
        of_name = [new for other, new in pairs if other == plain(name)]
        alike = [other for other in names if plain(other) == plain(name)]
        if len(of_name) == 1 and len(alike) == 1 and sum(new == of_name[0] for _, new in pairs) == 1:
            found[name] = of_name[0]
    return found
