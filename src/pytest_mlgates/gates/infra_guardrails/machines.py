"""Has a machine type GPUs? By the rule that each cloud's names follow, not by a list of types.

A type whose family follows no known rule is not taken for a CPU machine: the answer is ``maybe``.
Sources: the clouds' pages on naming of instance types, machine families and VM sizes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Literal

__all__ = [
    "Answer", "any_cloud", "aws", "azure", "gathered", "google", "is_gpu", "is_gpu_machine",
]  # fmt: skip

Answer = Literal["yes", "no", "maybe"]

_AWS = re.compile(
    r"(?:ml\.|cache\.|db\.)?([a-z]+)[0-9][a-z0-9]*(?:-[a-z0-9]+)?(?:\.(?:metal|[a-z0-9-]+))?"
)
_AWS_GPU = {"p", "g", "gr", "trn", "inf", "dl"}
_AWS_CPU = {
    "a", "c", "d", "f", "h", "i", "m", "r", "t", "x", "z", "cr", "cc", "cg", "hi", "hs", "hpc", "im",
    "is", "mac", "u", "vt",
}  # fmt: skip
_AWS_WORDS = {"optimal", "default_x86_64", "default_arm64"}
_GOOGLE_GPU = re.compile(r"(a[2-9]x?|a[1-9][0-9]x?|g[2-9]|ct[0-9]+[a-z]*|tpu[0-9a-z]*)-.*")
_GOOGLE_CPU = re.compile(
    r"(e|n[2-9]|t|c|h|m|x|z)[0-9]*[a-z]?-.*|f1-micro|g1-small|custom-[0-9].*|(e2|n2|n4)[a-z]?-custom.*"
)
_AZURE = re.compile(r"(?:standard|basic)_([a-z]+)[0-9].*", re.IGNORECASE)
_OTHER_GPU = re.compile(
    r"(?<![a-z])gpus?(?![a-z])|(vm|bm)\.gpu|ecs\.(gn|vgn|sgn|ebmgn|scc?gn)|(?<![a-z])(gx[0-9]|h100|h200|b200|a100|l40s?|l4|v100|t4)(?![0-9a-z])|nvidia|tesla",
    re.IGNORECASE,
)
_OTHER_CPU = re.compile(
    r"(vm|bm)\.(standard|optimized|denseio|dense)|ecs\.[a-z0-9]+\.|(s|c|m|g|so|gd)-[0-9]+vcpu|"
    r"(b|c|m)x[0-9]d?-[0-9]|(cx|cpx|cax|ccx)[0-9]+|g6-(nanode|standard|dedicated|highmem)",
    re.IGNORECASE,
)

#: whole names that mean nothing else, wherever they stand
_MACHINE = re.compile(
    r"(?:ml\.)?(?:p|g|gr|trn|inf|dl)[0-9][a-z0-9]*(?:-[a-z0-9]+)?\.(?:[0-9]*x?large|metal)(?:-[0-9a-z]+)?|"
    r"(?:a[2-9]x?|a[1-9][0-9]x?)-[a-z]*gpu-[0-9]+g(?:-[a-z]+)?|g[2-9]-standard-[0-9]+|"
    r"(?:ct|tpu)[0-9]+[a-z]*-[a-z]+-[0-9]+t|(?i:standard_n[a-z]*[0-9]\w*)|(?:VM|BM)\.GPU[\w.]+|"
    r"ecs\.(?:gn|vgn|sgn|ebmgn)[\w.-]+"
)


def is_gpu_machine(text: str) -> bool:
    """Tell whether a text is the name of a machine with GPUs, with no word around to say so.

    >>> is_gpu_machine("ml.p5.48xlarge"), is_gpu_machine("Standard_ND96isr_H100_v5"), is_gpu_machine("p5")
    (True, True, False)
    """
    return len(text) <= 60 and _MACHINE.fullmatch(text) is not None


def aws(name: str) -> Answer | None:
    """Tell of an instance type or family of AWS; None where the name is none.

    >>> aws("p6-b200.48xlarge"), aws("ml.g5.xlarge"), aws("m7i-flex.large"), aws("q9.large")
    ('yes', 'yes', 'no', 'maybe')
    """
    if name in _AWS_WORDS:
        return "no"
    found = _AWS.fullmatch(name) or re.fullmatch(r"(u)-[0-9]+tb[0-9]+\..*", name)
    if found is None:
        return None
    family = found.group(1)
    return "yes" if family in _AWS_GPU else "no" if family in _AWS_CPU else "maybe"


def google(name: str) -> Answer | None:
    """Tell of a machine type of Google; an n1 has GPUs where some are attached.

    >>> google("a3-highgpu-8g"), google("tpu7x-standard-4t"), google("n2-standard-4"), google("n1-standard-8")
    ('yes', 'yes', 'no', 'maybe')
    """
    name = name.rpartition("/")[2]
    if _GOOGLE_GPU.fullmatch(name):
        return "yes"
    if _GOOGLE_CPU.fullmatch(name):
        return "no"
    return "maybe" if re.fullmatch(r"[a-z]+[0-9]*[a-z]*-[a-z0-9-]+", name) else None


def azure(name: str) -> Answer | None:
    """Tell of a VM size of Azure: those of the N series have accelerators.

    >>> azure("Standard_NC24ads_A100_v4"), azure("Standard_D4s_v5")
    ('yes', 'no')
    """
    found = _AZURE.fullmatch(name)
    if found is None:
        return None
    family = found.group(1).upper()
    if family.startswith("N"):
        return "yes"
    return "no" if family[0] in "ABDEFGHLM" else "maybe"


def _others(name: str) -> Answer | None:
    if _OTHER_GPU.search(name):
        return "yes"
    return "no" if _OTHER_CPU.search(name) else None


def any_cloud(name: str) -> Answer | None:
    """Tell of a machine type of whatever cloud; None where it follows no cloud's rule.

    >>> any_cloud("BM.GPU.H100.8"), any_cloud("VM.Standard.E4.Flex"), any_cloud("hello")
    ('yes', 'no', None)
    """
    for cloud in (azure, _others):
        if (answer := cloud(name)) is not None:
            return answer
    of_google = google(name) if "-" in name and "." not in name else None
    if of_google in ("yes", "no"):
        return of_google  # AWS has a type that begins like it, and a dot in it
    return aws(name) or of_google


def is_gpu(value: object, clouds: Iterable[Callable[[str], Answer | None]]) -> Answer:
    """Tell of a value where a machine type stands; what is no known name may have GPUs."""
    if not isinstance(value, str):
        return "maybe"
    answers = [answer for cloud in clouds if (answer := cloud(value)) is not None]
    return gathered(answers) if answers else "maybe"


def gathered(answers: Iterable[Answer]) -> Answer:
    """Return yes if one is, else maybe if one is, else no."""
    found = set(answers)
    return "yes" if "yes" in found else "maybe" if "maybe" in found else "no"
