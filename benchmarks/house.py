"""The plan of the house in numbers: python benchmarks/house.py [FOLDER ...]

Modules at the root, ``Any`` per 1,000 lines (imports of it counted), functions and classes that more
than one module defines, and lines, of each checkout given (by default this one).
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from pathlib import Path


def figures(root: Path) -> dict[str, float]:
    """Measure the package of a checkout."""
    package = root / "src" / "pytest_mlgates"
    texts = {path: path.read_text("utf-8") for path in package.rglob("*.py")}
    lines = sum(len(text.splitlines()) for text in texts.values())
    mentions = 0
    homes: Counter[str] = Counter()
    for text in texts.values():
        tree = ast.parse(text)
        mentions += len(re.findall(r"\bAny\b", text))
        homes.update(_names(tree))
    return {
        "modules": len(texts),
        "modules at the root": sum(path.parent == package for path in texts),
        "lines": lines,
        "Any per 1,000 lines": 1000 * mentions / lines,
        "names defined in more than one module": sum(count > 1 for count in homes.values()),
    }


def _names(tree: ast.Module) -> set[str]:
    """Return the functions and classes of a module."""
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    found = {node.name for node in tree.body if isinstance(node, kinds)}
    return {name for name in found if not name.startswith("__")}


def main() -> None:
    """Print a column for each checkout."""
    folders = [Path(word) for word in sys.argv[1:]] or [Path(__file__).parent.parent]
    columns = [figures(folder) for folder in folders]
    print(f"{'':40}", *(f"{folder.resolve().name:>12}" for folder in folders))
    for name in columns[0]:
        print(f"{name:40}", *(f"{column[name]:12,.6g}" for column in columns))


if __name__ == "__main__":
    main()
