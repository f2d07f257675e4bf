"""Does one field say by itself that GPUs are asked for, whatever file or resource it stands in?

For what no rule knows: a file that names no kind (values of a chart, SkyPilot, Compose, a cluster of
Ray), a resource of Terraform whose fields nobody has listed. Only what can hardly mean anything else
counts: a GPU machine of a cloud, a device of a vendor with its number, a number of GPUs.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from pytest_mlgates.gates.infra_guardrails.machines import is_gpu_machine
from pytest_mlgates.gates.infra_guardrails.world import Resource, below
from pytest_mlgates.reading.devices import gpu_name, whole
from pytest_mlgates.reading.node import Node, template_in

__all__ = ["asks_for_gpus", "first_sign", "role"]

Role = Literal["count", "model", "device", "needs", ""]

#: 4, "4", 0.5: of these, some
_NUMBER = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")
_COUNT = re.compile(
    r"((num|n|request|requested|count|total|min|max)[_-]?)?gpus?([_-]?(count|num|number|quantity))?"
    r"([_-]?per[_-]?\w+)?",
    re.IGNORECASE,
)
_MODEL_KEY = re.compile(
    r"(accelerators?|gpus?)([_-]?(types?|models?|names?|ids?))*|"
    r"(instance|machine|vm|node|server|worker)[_-]?(types?|sizes?|shapes?|flavou?rs?)([_-]?names?)?|"
    r"platform|preset|flavou?r|shape",
    re.IGNORECASE,
)
#: a model of an accelerator, among other words: gpu_8x_h100, nvidia-tesla-t4, H100:8, tpu-v5e-8
_MODEL = re.compile(
    r"(?<![a-z0-9])(nvidia|tesla|rtx|gaudi[0-9]?|tpu|trainium[0-9]?|inferentia[0-9]?|"
    r"[ahblv][0-9]{2,3}0?s?|mi[0-9]{3}[a-z]?|gb?[0-9]{3}|t4|l4|l40s?|a10g?)(?![0-9a-z])|"
    r"(?<![a-z])gpus?(?![a-z])",
    re.IGNORECASE,
)


@lru_cache(4096)
def role(key: str) -> Role:
    """Tell what the value under a key would say of GPUs.

    >>> role("requestGPU"), role("nvidia.com/gpu"), role("accelerators"), role("gpuMemoryUtilization")
    ('count', 'device', 'model', '')
    """
    if "/" in key:
        return "device" if gpu_name(key) == "yes" else ""
    if _COUNT.fullmatch(key):
        return "count"
    if key == "capabilities":
        return "needs"
    return "model" if _MODEL_KEY.fullmatch(key) else ""


def asks_for_gpus(key: str, node: Node) -> bool:
    """Tell whether a field asks for GPUs.

    >>> asks_for_gpus("requestGPU", Node(0)), asks_for_gpus("requestGPU", Node("0.5"))
    (False, True)
    >>> asks_for_gpus("vmSize", Node("Standard_NC24ads_A100_v4")), asks_for_gpus("x", Node("p5.48xlarge"))
    (True, True)
    """
    value = node.value
    if isinstance(value, str) and is_gpu_machine(value):
        return True
    what = role(key)
    if what in ("count", "device"):
        return _some(node) or (what == "device" and _is_template(node))
    if what == "model":
        words = list(value) if isinstance(value, dict) else [value]
        return any(isinstance(word, str) and bool(_MODEL.search(word)) for word in words)
    return what == "needs" and value == "gpu"


def _is_template(node: Node) -> bool:
    return node.unknown or (isinstance(node.value, str) and bool(template_in(node.value)))


def _some(node: Node) -> bool:
    """Tell whether a number is more than none."""
    value = node.value
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value > 0
    return bool(whole(value))


def first_sign(document: Node) -> tuple[str, Node] | None:
    """Return the first field of a document that asks for GPUs."""
    for key, node, _ in below(Resource("", "", "", document)):
        if key and asks_for_gpus(key, node):
            return key, node
    return None
