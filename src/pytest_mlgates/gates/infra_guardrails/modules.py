"""The Terraform modules that were found, those that they call, and what all of them create."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from pytest_mlgates.gates.infra_guardrails.resources import Open, World, of_terraform
from pytest_mlgates.gates.infra_guardrails.terraform.evaluate import Scope, evaluate
from pytest_mlgates.gates.infra_guardrails.terraform.module import Call, Module
from pytest_mlgates.gates.infra_guardrails.terraform.syntax import Body, read_hcl
from pytest_mlgates.reading.node import Node, Unreadable

__all__ = ["NOT_SEEN", "Modules"]

NOT_SEEN = "what it creates is not seen: gate `terraform show -json` of the plan"
_MOST_CALLS = 1000
_MAX_BYTES = 1 << 20


class Modules:
    """Files by folder; ``text`` reads one of at most so many bytes."""

    def __init__(
        self, world: World, text: Callable[[Path, str, int], str], trusted: tuple[str, ...]
    ) -> None:
        self.world, self.text, self.trusted = world, text, trusted
        self.modules: dict[Path, dict[str, Path]] = {}
        self.parsed: dict[Path, tuple[list[Body], dict[str, Node]]] = {}
        self.calls = 0

    def add(self, file: Path, name: str) -> None:
        """Take a file that belongs to the module of its folder."""
        self.modules.setdefault(file.parent.resolve(), {})[name] = file

    def read(self) -> None:
        """Evaluate the modules found; one that another calls, with the values that it passes."""
        folders = {folder: self._bodies(names, folder) for folder, names in self.modules.items()}
        modules = {folder: Module(*found) for folder, found in folders.items()}
        called = {
            self._local(folder, call)
            for folder, module in modules.items()
            for call in module.calls()
        }
        for folder, module in sorted(modules.items()):
            if folder not in called:
                self._created(folder, module, (folder,))
        if modules and called >= set(modules):
            raise Unreadable(
                f"{min(min(self.modules.values(), key=min))}: modules call each other in a ring"
            )

    def _created(self, folder: Path, module: Module, way: tuple[Path, ...]) -> None:
        """Add what a module creates, and what the modules do that it calls."""
        for made in module.resources():
            of_terraform(made.kind, made.label, made.body, self.world, module)
        for call in module.calls():
            inner = self._local(folder, call)
            if inner is not None and inner not in way and self.calls < _MOST_CALLS:
                self.calls += 1
                names = self.modules.get(inner) or {
                    f"{call.source.value}/{file.name}": file for file in sorted(inner.glob("*.tf"))
                }
                bodies, _ = self._bodies(names, inner)
                self._created(inner, Module(bodies, call.given), (*way, inner))
            elif call.source.value not in self.trusted:
                source = call.source.value
                shown = source if isinstance(source, str) else "an expression"
                self.world.open.append(
                    Open(call.source.place, f"module {call.label} ({shown}): {NOT_SEEN}")
                )

    def _local(self, folder: Path, call: Call) -> Path | None:
        """Return the folder of a module that lies beside this one."""
        source = call.source.value
        if not isinstance(source, str) or not source.startswith("."):
            return None
        inner = (folder / source).resolve()
        return inner if inner.is_dir() else None

    def _bodies(
        self, files: Mapping[str, Path], folder: Path
    ) -> tuple[list[Body], dict[str, Node]]:
        """Parse the files of a module once, however many call it."""
        if folder not in self.parsed:
            self.parsed[folder] = self._read_module(files, folder)
        return self.parsed[folder]

    def _read_module(
        self, files: Mapping[str, Path], folder: Path
    ) -> tuple[list[Body], dict[str, Node]]:
        bodies = []
        for name, file in sorted(files.items()):
            if file.stem == "override" or file.stem.endswith("_override"):
                why = "an override file changes other blocks: gate `terraform show -json` instead"
                self.world.open.append(Open(name, why))
                continue
            bodies.append(read_hcl(self.text(file, name, _MAX_BYTES), name))
        given: dict[str, Node] = {}
        for file in [folder / "terraform.tfvars", *sorted(folder.glob("*.auto.tfvars"))]:
            if file.is_file():
                body = read_hcl(self.text(file, file.name, _MAX_BYTES), file.name)
                scope = Scope(Module([]))
                given |= {key: evaluate(e, scope) for key, (_, e) in body.attributes.items()}
        return bodies, given
