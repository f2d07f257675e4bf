"""Names in parts: given name alone, surname alone, both; with diacritics and in other scripts."""

from __future__ import annotations

from reference_systems.resume_screener.people import GROUPS, draw, seeded

__all__ = ["ACCENTED", "SCRIPTS", "in_parts"]

#: each name with marks stands beside itself without them
ACCENTED = (
    "Zoë Ångström", "Zoe Angstrom", "José Muñoz", "Jose Munoz", "Siân Öztürk", "Sian Ozturk",
    "Nguyễn Thị Hồng", "Nguyen Thi Hong", "Łukasz Wójcik", "Lukasz Wojcik", "D'Ângelo Ó Briain",
    "D'Angelo O Briain",
)  # fmt: skip
SCRIPTS = (
    "王伟", "李娜", "محمد الحسن", "فاطمة الزهراء", "Олена Шевченко", "Дмитрий Иванов", "김민준",
    "さくら 田中", "प्रिया शर्मा", "தமிழ் செல்வி", "Γιώργος Παπαδόπουλος", "שרה כהן",
)  # fmt: skip


def in_parts(n: int, seed: int) -> dict[str, list[str]]:
    """Return ``n`` names a group and part, and those with diacritics and in other scripts.

    >>> sorted(in_parts(2, seed=0))[:3]
    ['asian_pacific, both', 'asian_pacific, given name', 'asian_pacific, surname']
    """
    random = seeded("parts", seed)
    found: dict[str, list[str]] = {
        f"{group}, {part}": [] for group in GROUPS for part in ("given name", "surname", "both")
    }
    while any(len(names) < n for names in found.values()):
        person = draw(random)
        given, _, surname = person.name.rpartition(" ")
        for part, text in (("given name", given), ("surname", surname), ("both", person.name)):
            names = found[f"{person.group}, {part}"]
            if len(names) < n and text and text not in names:
                names.append(text)
    return {**found, "with and without marks": list(ACCENTED), "other scripts": list(SCRIPTS)}
