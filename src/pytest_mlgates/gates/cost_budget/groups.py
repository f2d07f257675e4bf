"""What group a charge belongs to: its service, its namespace, a tag of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pytest_mlgates.core import Unmeasurable
from pytest_mlgates.gates.cost_budget.layouts import Layout
from pytest_mlgates.gates.cost_budget.tags import NAMESPACES, bare_key, best_value

__all__ = ["Group", "own_columns"]


@dataclass(frozen=True, slots=True)
class Group:
    """A way to sort charges: ``by`` as in ``service``, ``namespace`` or ``tag:team``.

    One that is ``optional`` may be told by no column.
    """

    by: str
    optional: bool = False

    @property
    def tagged(self) -> bool:
        """Whether tags tell it."""
        return self.by == "namespace" or self.by.startswith("tag:")

    @property
    def wanted(self) -> str:
        """The tag that tells it to the letter."""
        return self.by.removeprefix("tag:")

    @property
    def fits(self) -> Callable[[str], bool]:
        """Return what tells a tag, by its bare key, that tells it, too."""
        if self.by == "namespace":
            return NAMESPACES.__contains__
        bare = bare_key(self.wanted)
        return lambda key: key == bare

    def value(self, tags: Mapping[str, str]) -> str:
        """Return what tags say of it; "" where they say nothing."""
        return best_value(tags, self.wanted, self.fits)


def own_columns(group: Group, seen: Layout, *, has_inventory: bool) -> tuple[int, ...]:
    """Return the columns that tell the group, tags apart.

    Raises :class:`Unmeasurable` where nothing is about it.
    """
    if not group.tagged:
        role = {"category": "service_category"}.get(group.by, group.by)
        if role not in seen.at:
            if group.optional:
                return ()
            raise Unmeasurable(_no_column(seen.names[role], group))
        return (seen.at[role],)
    has_tags = "tags" in seen.at or "allocated_tags" in seen.at
    columns = _tag_columns(group, seen)
    if group.by == "namespace":
        own = (seen.at["namespace"],) if "namespace" in seen.at else ()
        if not (own or has_tags or seen.tag_columns or has_inventory):
            raise Unmeasurable(
                "no charge says its namespace: give a column x_Namespace, a tag 'namespace', or an"
                " inventory that knows it"
            )
        return (*own, *columns)
    if not (has_tags or seen.tag_columns):
        raise Unmeasurable(_no_column(seen.names["tags"], group))
    return columns


def _no_column(name: str, group: Group) -> str:
    return f"the charges have no column {name}, and {group.by!r} is about it"


def _tag_columns(group: Group, seen: Layout) -> tuple[int, ...]:
    """Return tags that are columns and tell the group, the one that says it to the letter first."""
    found = [name for name in seen.tag_columns if group.fits(bare_key(name))]
    found.sort(key=lambda name: (name != group.wanted, name.lower() != group.wanted.lower()))
    return tuple(seen.tag_columns[name] for name in found)
