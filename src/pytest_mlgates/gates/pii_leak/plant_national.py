"""Made-up national identifiers, by region: check digits right, in a layout of the country."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import product

from pytest_mlgates.pii.national_ids import is_valid
from pytest_mlgates.pii.national_kinds import KINDS, NationalKind

__all__ = ["LAYOUTS", "made_up", "national_id"]

#: module -> its label, the compact form, the usual layout: ``#`` is a digit, ``~`` one from 2 on, ``@``
#: a consonant, ``y m d`` a date, ``?`` what the check decides; all others are as they are
LAYOUTS: dict[str, tuple[str, str, str]] = {
    "br.cpf": ("CPF", "#########??", "###.###.###-??"),
    "ca.sin": ("SIN", "~#######?", "~## ### ##?"),
    "cn.ric": ("身份证号", "110105yyyymmdd###?", "110105 yyyymmdd ###?"),
    "es.dni": ("DNI", "########?", "##.###.###-?"),
    "es.nie": ("NIE", "X#######?", "X-#######-?"),
    "fr.nir": ("NIR", "1##mm75######??", "1 ## mm 75 ### ### ??"),
    "": ("NINO", "JG######C", "JG ## ## ## C"),
    "in_.aadhaar": ("Aadhaar", "~##########?", "~### #### ###?"),
    "it.codicefiscale": ("codice fiscale", "@@@@@@##AddH###?", "@@@ @@@ ##Add H###?"),
    "kr.rrn": ("주민등록번호", "##mmdd1#####?", "##mmdd-1#####?"),
    "nl.bsn": ("BSN", "~#######?", "~###.##.##?"),
    "pl.pesel": ("PESEL", "##mmdd####?", "##mmdd####?"),
}
_CHECKS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_PARTS = str.maketrans("", "", " .-")


def national_id(regions: Sequence[str], draw: random.Random) -> str:
    """Return an identifier of one of the regions, with its label, in one of its layouts.

    >>> national_id(["GB"], random.Random(1))[:6]
    'NINO: '
    """
    kind = draw.choice([kind for kind in KINDS if kind.region in regions])
    label, *layouts = LAYOUTS[kind.module]
    return f"{label}: {made_up(kind, draw.choice(layouts), draw)}"


def made_up(kind: NationalKind, layout: str, draw: random.Random) -> str:
    """Return a made-up identifier in a layout; a body that no check character fits is drawn again."""
    while True:
        body = _filled(layout, draw)
        for checks in product(_CHECKS, repeat=body.count("?")):
            parts = iter(checks)
            value = "".join(next(parts) if c == "?" else c for c in body)
            if is_valid(kind, value.translate(_PARTS)):
                return value


def _filled(layout: str, draw: random.Random) -> str:
    """Return a layout with all but the check characters drawn."""
    for name, low, high in (("yyyy", 1930, 2005), ("mm", 1, 12), ("dd", 1, 28)):
        layout = layout.replace(name, f"{draw.randint(low, high):0{len(name)}}")
    of = {"#": "0123456789", "~": "23456789", "@": "BCDFGLMNPRST"}
    return "".join(draw.choice(of.get(character, character)) for character in layout)
