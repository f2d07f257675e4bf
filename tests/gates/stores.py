"""Stores of every flaw that is known, and sound ones of several designs."""

from __future__ import annotations

import hashlib
import threading
import unicodedata

from tests.gate_cases.artifact_immutability import Named, Sound


class WriteOnce(Named):
    """By name, and a name that is taken is refused, whoever asks first."""

    lock = threading.Lock()

    def put(self, stream, name):
        content = stream.read()
        with self.lock:
            if name in self.disk:
                raise FileExistsError(name)
            self.disk[name] = content
            self.disk[f"{name}.sum"] = hashlib.sha256(content).digest()
        return name

    def get(self, reference):
        content = self.disk[reference]
        if hashlib.sha256(content).digest() != self.disk[f"{reference}.sum"]:
            raise ValueError("damaged")
        return content

    def delete(self, reference):
        raise PermissionError("nothing is removed")

    def list(self):
        return [name for name in self.disk if not name.endswith(".sum")]


class Versioned(Sound):
    """By name and version: an overwrite makes a new version, as a versioned bucket does."""

    number = 0
    lock = threading.Lock()

    def put(self, stream, name):
        content = stream.read()
        with self.lock:
            Versioned.number += 1
            reference = f"{name}#{Versioned.number}#{hashlib.sha256(content).hexdigest()}"
        self.disk[reference] = content
        return reference

    def get(self, reference):
        content = self.disk[reference]
        if hashlib.sha256(content).hexdigest() != reference.rpartition("#")[2]:
            raise ValueError("damaged")
        return content


class Line(Sound):
    """A store at the end of a line that can be cut."""

    cut = None

    def cut_reads(self, keep):
        Line.cut = keep

    def get(self, reference):
        content = self.disk[reference][: Line.cut]
        if hashlib.sha256(content).hexdigest() != reference:
            raise ConnectionError("cut")
        return content


class Prefix(Sound):
    """Twelve digits, as the snippet that went round has it."""

    def key(self, content, name):
        return super().key(content, name)[:12]

    def get(self, reference):
        content = self.disk[reference]
        if self.key(content, "") != reference:
            raise ValueError("damaged")
        return content


class Md5(Prefix):
    def key(self, content, name):
        return hashlib.md5(content).hexdigest()


class Sizes(Prefix):
    """Takes what has the same name and size for the same, as a cache by size and time does."""

    def key(self, content, name):
        return f"{name}:{len(content)}"

    def put(self, stream, name):
        content = stream.read()
        self.disk.setdefault(self.key(content, name), content)
        return self.key(content, name)

    def get(self, reference):
        return self.disk[reference]

    def damage(self, *_):
        raise NotImplementedError


class Unverified(Sound):
    def get(self, reference):
        return self.disk[reference]


class NotMended(Sound):
    """Finds the digest there and does not look."""

    def put(self, stream, name):
        content = stream.read()
        reference = self.key(content, name)
        self.disk.setdefault(reference, content)
        return reference


class Loses(Sound):
    """Acknowledges, and one in three hundred was never written."""

    puts = 0

    def put(self, stream, name):
        reference = super().put(stream, name)
        Loses.puts += 1
        if Loses.puts % 300 == 0:
            del self.disk[reference]
        return reference


class Evicts(Sound):
    """Keeps the newest two hundred."""

    def put(self, stream, name):
        reference = super().put(stream, name)
        while len(self.disk) > 200:
            del self.disk[next(iter(self.disk))]
        return reference


class Lazy(Sound):
    """Acknowledges before anything is written down: a restart loses it."""

    def __init__(self, disk=None):
        super().__init__(disk)
        self.memory = {}

    def put(self, stream, name):
        content = stream.read()
        reference = self.key(content, name)
        self.memory[reference] = content
        if len(self.memory) >= 3:
            self.disk.update(self.memory)
        return reference

    def get(self, reference):
        return self.memory[reference] if reference in self.memory else super().get(reference)


class Half(Named):
    """Writes in place: a put that breaks off leaves what it has."""

    def put(self, stream, name):
        if name in self.disk:
            raise FileExistsError(name)
        self.disk[name] = b""
        while block := stream.read(1 << 16):
            self.disk[name] += block
        return name

    def damage(self, *_):
        raise NotImplementedError


class Swallows(Sound):
    """Acknowledges what came of a stream that broke off."""

    def put(self, stream, name):
        blocks = []
        try:
            while block := stream.read(1000):
                blocks.append(block)
        except BaseException:  # noqa: BLE001
            pass
        content = b"".join(blocks)
        reference = self.key(content, name)
        self.disk[reference] = content
        return reference


class Folds(WriteOnce):
    """Names that differ in case, or in how an accent is written, are one."""

    def put(self, stream, name):
        folded = unicodedata.normalize("NFC", name).lower()
        self.disk[folded] = stream.read()
        self.disk[f"{folded}.sum"] = hashlib.sha256(self.disk[folded]).digest()
        return folded


class Reuses(WriteOnce):
    """A name is free again once it was deleted."""

    def delete(self, reference):
        del self.disk[reference]


class Renames(WriteOnce):
    """A rename writes over what is there."""

    def rename(self, reference, name):
        for end in ("", ".sum"):
            self.disk[name + end] = self.disk.pop(reference + end)
        return name


class Races(WriteOnce):
    """Looks whether a name is free and then writes: two at once both find it free."""

    def put(self, stream, name):
        content = stream.read()
        if name in self.disk:
            raise FileExistsError(name)
        threading.Event().wait(0.002)
        self.disk[name] = content
        self.disk[f"{name}.sum"] = hashlib.sha256(content).digest()
        return name


class ListLags(Sound):
    def list(self):
        return list(self.disk)[:-5]


class CutLine(Line):
    """Believes what the line gives."""

    def get(self, reference):
        return self.disk[reference][: Line.cut]


class Healed(Sound):
    """The verified read forgets to verify what it reads again after a failure."""

    def get(self, reference):
        try:
            return super().get(reference)
        except ValueError:
            return self.disk[reference]
