"""The Terraform modules that were found, those that they call, and what all of them create."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from pytest_mlgates.gates.infra_guardrails.terraform.declared import of_terraform
from pytest_mlgates.gates.infra_guardrails.terraform.json_syntax import body_of_json, read_json
from pytest_mlgates.gates.infra_guardrails.terraform.module import Call, Module
from pytest_mlgates.gates.infra_guardrails.terraform.syntax import Body, read_hcl
from pytest_mlgates.gates.infra_guardrails.terraform.values import Values, values_beside
from pytest_mlgates.gates.infra_guardrails.world import World
from pytest_mlgates.reading.node import Unreadable

__all__ = ["Modules"]

_NOT_SEEN = (
    "what it creates is not seen: gate `terraform show -json` of the plan, or name its source in"
    " trusted_modules"
)
_MOST_CALLS = 1000
_MAX_BYTES = 64 << 20
_SUFFIXES = (".tofu.json", ".tf.json", ".tofu", ".tf")


class Modules:
    """Files by folder; ``text`` reads one of at most so many bytes."""

    def __init__(
        self,
        world: World,
        text: Callable[[Path, str, int], str],
        trusted: tuple[str, ...],
        unreadable: Callable[[Unreadable], None],
    ) -> None:
        self.world, self.text, self.trusted, self.unreadable = world, text, trusted, unreadable
        self.folders: dict[Path, dict[str, Path]] = {}
        self.bodies: dict[Path, Body | None] = {}
        self.calls = 0

    def add(self, file: Path, name: str) -> None:
        """Take a file that belongs to the module of its folder."""
        self.folders.setdefault(file.parent.resolve(), {})[name] = file

    def parsed(self, value: object, name: str) -> None:
        """Take parsed Terraform, a module of its own."""
        self._created(None, Module([body_of_json(value, name)]), ())

    def read(self) -> None:
        """Evaluate the modules found; one that another calls, with the values that it passes."""
        roots = {
            folder: [self._module(names, values_beside(folder, self._tfvars)) for names in variants]
            for folder, variants in ((f, _variants(names)) for f, names in self.folders.items())
        }
        called = {
            self._local(folder, call)
            for folder, modules in roots.items()
            for module in modules
            for call in module.calls()
        }
        for folder, modules in sorted(roots.items()):
            for module in modules if folder not in called else ():
                self._created(folder, module, (folder,))
        if roots and called >= set(roots):
            names = min(self.folders.values(), key=min)
            raise Unreadable(f"{min(names)}: modules call each other in a ring")

    def _created(self, folder: Path | None, module: Module, way: tuple[Path, ...]) -> None:
        """Add what a module creates, and what the modules do that it calls."""
        for fault in module.faults:
            self.unreadable(Unreadable(fault))
        for made in module.resources():
            try:
                of_terraform(made.kind, made.label, made.body, self.world, module)
            except Unreadable as error:
                self.unreadable(error)
        for call in module.calls():
            inner = self._local(folder, call)
            if inner is not None and inner not in way and self.calls < _MOST_CALLS:
                self.calls += 1
                names = self.folders.get(inner) or {
                    f"{call.source.value}/{file.name}": file
                    for file in sorted(inner.iterdir())
                    if file.name.endswith(_SUFFIXES)
                }
                for variant in _variants(names):
                    made_by = self._module(variant, Values(given=call.given))
                    self._created(inner, made_by, (*way, inner))
            elif call.source.value not in self.trusted:
                source = call.source.value
                shown = source if isinstance(source, str) else "an expression"
                self.world.doubt(call.source.place, f"module {call.label} ({shown}): {_NOT_SEEN}")

    def _local(self, folder: Path | None, call: Call) -> Path | None:
        """Return the folder of a module that lies beside this one."""
        source = call.source.value
        if folder is None or not isinstance(source, str) or not source.startswith("."):
            return None
        inner = (folder / source).resolve()
        return inner if inner.is_dir() else None

    def _module(self, files: Mapping[str, Path], values: Values) -> Module:
        bodies = [body for name, file in sorted(files.items()) if (body := self._body(file, name))]
        return Module(bodies, values)

    def _body(self, file: Path, name: str) -> Body | None:
        """Parse a file once, however many modules call it."""
        if file not in self.bodies:
            self.bodies[file] = None
            stem = _stem(file.name)
            if stem == "override" or stem.endswith("_override"):
                why = "an override file changes other blocks: gate `terraform show -json` instead"
                self.world.doubt(name, why)
                return None
            try:
                text = self.text(file, name, _MAX_BYTES)
                in_json = file.suffix == ".json"
                self.bodies[file] = (
                    body_of_json(read_json(text, name), name) if in_json else read_hcl(text, name)
                )
            except Unreadable as error:
                self.unreadable(error)
        return self.bodies[file]

    def _tfvars(self, file: Path) -> Body:
        """Read a file of values; raises :class:`Unreadable`."""
        text = self.text(file, file.name, _MAX_BYTES)
        if file.suffix == ".json":
            root = body_of_json({"locals": read_json(text, file.name)}, file.name)
            return root.blocks[0].body if root.blocks else Body({}, ())
        body = read_hcl(text, file.name)
        for fault in body.faults:
            self.unreadable(Unreadable(fault))
        return body


def _stem(name: str) -> str:
    suffix = next((s for s in _SUFFIXES if name.endswith(s)), "")
    return name.removesuffix(suffix)


def _variants(files: Mapping[str, Path]) -> list[dict[str, Path]]:
    """Return the files that OpenTofu takes, and those that Terraform does where they differ.

    OpenTofu takes ``main.tofu`` in place of ``main.tf``; Terraform knows nothing of it.
    """
    of_tofu = {n: f for n, f in files.items() if f.name.endswith((".tofu", ".tofu.json"))}
    stems = {_stem(file.name) for file in of_tofu.values()}
    others = {n: f for n, f in files.items() if n not in of_tofu}
    kept = {n: f for n, f in others.items() if _stem(f.name) not in stems}
    variants = [{**kept, **of_tofu}]
    return [*variants, others] if len(kept) < len(others) else variants
