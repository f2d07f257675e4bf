"""A trained shop as a folder: the index with its names, and beside it who viewed what.

The folder is written aside and put in place at once; each file stands in ``shop.json`` with its
bytes and its SHA-256, and a folder of which one is missing or altered is not served.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from reference_systems.shopfast_two_tower.errors import ShopError
from reference_systems.shopfast_two_tower.index import Exact, Index, Quantised
from reference_systems.shopfast_two_tower.recommender import Recommender
from reference_systems.shopfast_two_tower.towers import UserTower
from reference_systems.shopfast_two_tower.training import Histories

__all__ = ["read", "refuse_strange", "sizes", "write"]

_ABOUT, _VERSION = "shop.json", 1
_ITEMS, _USERS, _HISTORIES, _TOWER = "items.json", "users.json", "histories.npz", "tower.npz"
_KINDS: dict[str, type[Exact] | type[Quantised]] = {
    Exact.files[0]: Exact,
    Quantised.files[0]: Quantised,
}


def write(shop: Recommender, folder: Path, told: Mapping[str, Any]) -> dict[str, Any]:
    """Write a shop, in place of one that is there, and return what :func:`sizes` says of it.

    Raises :class:`ShopError` where the folder holds anything else.
    """
    refuse_strange(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        _write_files(shop, draft)
        index = [*shop.index.files, _ITEMS]
        about = {"version": _VERSION, **told, "again": shop.again, "index": index}
        about["files"] = {
            path.name: {"bytes": path.stat().st_size, "sha256": _digest(path)}
            for path in sorted(draft.iterdir())
        }
        text = json.dumps(about, indent=1, sort_keys=True) + "\n"
        (draft / _ABOUT).write_text(text, encoding="utf-8")
        draft.chmod(0o755)
        _replace(draft, folder)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return sizes(folder)


def refuse_strange(folder: Path) -> None:
    """Raise :class:`ShopError` where a folder holds anything but a trained shop."""
    if folder.exists() and not folder.is_dir():
        raise ShopError(f"{folder}: is not a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / _ABOUT).is_file():
        raise ShopError(
            f"{folder}: holds files that are not a trained shop's: name an empty or new folder"
        )


def _replace(draft: Path, folder: Path) -> None:
    if not folder.is_dir():
        draft.replace(folder)
        return
    old = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.old."))
    os.replace(folder, old / "shop")  # noqa: PTH105
    try:
        draft.replace(folder)
    except OSError:
        os.replace(old / "shop", folder)  # noqa: PTH105
        raise
    shutil.rmtree(old, ignore_errors=True)


def _write_files(shop: Recommender, folder: Path) -> None:
    shop.index.write(folder)
    _write_names(folder / _ITEMS, shop.items)
    _write_names(folder / _USERS, list(shop.users))
    viewed = shop.histories
    np.savez_compressed(
        folder / _HISTORIES, starts=viewed.starts, items=viewed.items.astype(np.int32)
    )
    weights = {name: weight.numpy() for name, weight in shop.tower.state_dict().items()}
    np.savez_compressed(folder / _TOWER, **cast("Any", weights))


def _write_names(path: Path, names: Sequence[str]) -> None:
    # ASCII: a lone surrogate in a name has no bytes of its own
    path.write_text(json.dumps(names, separators=(",", ":")), encoding="ascii")


def read(folder: Path) -> Recommender:
    """Read a shop; :class:`ShopError` where a file is missing, altered or of another version."""
    about = _about(folder)
    for name, file in about["files"].items():
        if _digest(folder / name) != file["sha256"]:
            raise ShopError(f"{folder / name}: is not the file that was trained: train again")
    kind = _KINDS[about["index"][0]]
    index: Index = kind.read(folder)
    users = json.loads((folder / _USERS).read_text(encoding="ascii"))
    with np.load(folder / _HISTORIES, allow_pickle=False) as held:
        histories = Histories(held["starts"], held["items"].astype(np.int64))
    tower = UserTower()
    with np.load(folder / _TOWER, allow_pickle=False) as held:
        tower.load_state_dict({name: torch.from_numpy(held[name]) for name in held.files})
    return Recommender(
        index=index,
        items=json.loads((folder / _ITEMS).read_text(encoding="ascii")),
        users={user: n for n, user in enumerate(users)},
        histories=histories,
        tower=tower.eval(),
        again=about["again"],
    )


def sizes(folder: Path) -> dict[str, Any]:
    """Return how many items the index holds, its bytes, and the files that these are of.

    ``files`` are the index: its vectors and the names of the items. ``beside`` are the others,
    which each build has alike: who viewed what, and the user tower.
    """
    about = _about(folder)
    files = {name: _size(folder / name) for name in about["index"]}
    names = json.loads((folder / _ITEMS).read_text(encoding="ascii"))
    return {
        "items": len(names),
        "index_bytes": sum(files.values()),
        "files": files,
        "beside": {
            name: _size(folder / name)
            for name in sorted({*about["files"], _ABOUT} - set(about["index"]))
        },
        "build": about.get("build"),
        "catalogue": about.get("catalogue"),
        "views_of_pruned": about.get("views_of_pruned"),
    }


def _about(folder: Path) -> dict[str, Any]:
    path = folder / _ABOUT
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        why = "is not there" if not folder.exists() else "is not a trained shop"
        raise ShopError(f"{folder}: {why}: make it with train VIEWS.csv --to {folder}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ShopError(f"{path}: can't be read ({type(error).__name__}): train again") from None
    try:
        fits = about["version"] == _VERSION and about["index"][0] in _KINDS
        fits &= isinstance(about["again"], float) and all(
            Path(name).name == name and isinstance(file["sha256"], str)
            for name, file in about["files"].items()
        )
    except (KeyError, TypeError, AttributeError, IndexError):
        fits = False
    if not fits:
        raise ShopError(f"{path}: is of another version, or altered: train again")
    return cast("dict[str, Any]", about)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        raise ShopError(f"{path}: is not there: train again") from None


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise ShopError(f"{path}: is not there: train again") from None
