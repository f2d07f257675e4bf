"""Make the table of the Java platform's signatures from JDKs on a developer's machine.

``python -m reference_systems.codebuddy_graph.jdk.build JAVA [JAVA …]``, each the ``java`` of one
JDK, the oldest first: what only a newer one has is marked, and found where nothing else is.
"""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

from reference_systems.codebuddy_graph.skeleton import NEWER

__all__ = ["main", "merge"]

HERE = Path(__file__).parent
#: the time that every entry carries, so that the same JDKs give the same bytes
WHEN = (1980, 1, 1, 0, 0, 0)


def signatures(java: str) -> dict[str, dict]:
    """Return the classes of one JDK, by binary name."""
    words = [java, str(HERE / "JdkTable.java")]
    text = subprocess.run(words, check=True, capture_output=True).stdout.decode()  # noqa: S603
    pairs = (line.split("\t", 1) for line in text.splitlines())
    return {name: json.loads(record) for name, record in pairs}


def merge(oldest: dict[str, dict], newer: dict[str, dict]) -> dict[str, dict]:
    """Add what only the newer JDK has; a method that a known class gained is marked."""
    for name, record in newer.items():
        if name not in oldest:
            oldest[name] = record
            continue
        known = oldest[name]
        for part in ("m", "v"):
            have = {_key(member, part) for member in known[part]}
            for member in record[part]:
                if _key(member, part) not in have:
                    flags = member[1] | NEWER if part == "m" else member[1]
                    known[part].append([member[0], flags, *member[2:]])
    return oldest


def _key(member: list, part: str) -> str:
    return json.dumps([member[0], member[4]] if part == "m" else member[0])


def main(arguments: list[str] | None = None) -> None:
    """Write ``signatures.zip``: an entry a package, a line a class."""
    javas = sys.argv[1:] if arguments is None else arguments
    table: dict[str, dict] = {}
    for java in javas:
        table = merge(table, signatures(java)) if table else signatures(java)
    packages: dict[str, list[str]] = {}
    for name in sorted(table):
        line = f"{name}\t{json.dumps(table[name], separators=(',', ':'))}\n"
        packages.setdefault(name.rpartition(".")[0], []).append(line)
    with zipfile.ZipFile(HERE / "signatures.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for package in sorted(packages):
            info = zipfile.ZipInfo(package, WHEN)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, "".join(packages[package]), compresslevel=9)


if __name__ == "__main__":
    main()
