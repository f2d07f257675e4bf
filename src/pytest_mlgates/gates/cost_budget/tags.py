"""The tags of a charge, in the forms that clouds write: objects, lists of pairs, bare text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from pytest_mlgates.reading.tables import missing

__all__ = ["NAMESPACES", "bare_key", "best_value", "read_tags"]

#: tags that tell the namespace, without case and separators
NAMESPACES = {
    "namespace", "k8snamespace", "kubernetesnamespace", "kubenamespace", "kubernetesionamespace",
    "awseksnamespace", "eksnamespace", "k8snamespacename", "kubernetesionamespacename",
    "kubernetesiocreatedforpvcnamespace", "goognamespace", "k8snamespacelabel", "aksnamespace",
}  # fmt: skip
_NAMES, _VALUES = ("key", "Key", "name"), ("value", "Value")


def read_tags(cell: str) -> dict[str, str] | None:
    """Return tags by key, or None where the text can't be read as tags: cut off, say.

    >>> read_tags('{"team": "ads"}') == read_tags('[{"key": "team", "value": "ads"}]')
    True
    >>> read_tags('"team": "ads","env": "prod"'), read_tags('{"team": "ads", "note": "cut o')
    ({'team': 'ads', 'env': 'prod'}, None)
    """
    text = cell.strip()
    if not text or text.upper() == "NULL":
        return {}
    for form in (text, f"{{{text}}}"):  # older exports of Azure leave the braces away
        try:
            return _found(json.loads(form))
        except (ValueError, RecursionError):
            continue
    return None


def _found(tags: object) -> dict[str, str]:
    """Return what an object, or a list of pairs, says; ValueError where it is none."""
    if tags is None:
        return {}
    if isinstance(tags, Mapping):
        return {str(key): _text(value) for key, value in tags.items()}
    if not isinstance(tags, list):
        raise ValueError
    found: dict[str, str] = {}
    for pair in tags:
        if isinstance(pair, list) and len(pair) == 2:
            key, value = pair
        elif isinstance(pair, Mapping) and (name := next((n for n in _NAMES if n in pair), None)):
            key, value = pair[name], next((pair[v] for v in _VALUES if v in pair), None)
        else:
            raise ValueError
        found.setdefault(str(key), _text(value))
    return found


def _text(value: object) -> str:
    if isinstance(value, (dict, list)):
        return json.dumps(value)
    return "" if missing(value) else str(value)


def bare_key(name: str) -> str:
    """Return the name of a tag without case, separators and whose it is.

    >>> bare_key("user:Cost-Center")
    'costcenter'
    """
    return re.sub(r"[\W_]", "", re.sub(r"^(user|aws)[:_]", "", name)).lower()


def best_value(tags: Mapping[str, str], wanted: str, fits: Callable[[str], bool]) -> str:
    """Return the value of the key that is ``wanted`` to the letter, else of the first that ``fits``.

    >>> best_value({"te-am": "web", "team": "ads"}, "team", lambda key: key == "team")
    'ads'
    """
    exact = tags.get(wanted)
    if exact:
        return exact
    plain = (value for key, value in tags.items() if key.lower() == wanted.lower() and value)
    alike = (value for key, value in tags.items() if fits(bare_key(key)) and value)
    return next(plain, None) or next(alike, "")
