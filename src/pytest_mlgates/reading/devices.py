"""What the names and numbers of devices in Kubernetes mean, whoever's plugin gives them."""

from __future__ import annotations

import re
from functools import cache
from typing import Literal

__all__ = ["GPU_WORDS", "gpu_name", "whole"]

#: words that vendors have for accelerators, in the name of an extended resource or a device class
GPU_WORDS = re.compile(
    r"[vmqsx]?gpus?(?![a-z])|gpu[a-z]*$|(?<![a-z])mig-|i915|/xe$|tpus?(?![a-z])|npu|xpu|(?<![a-z])v?dcu|mlu|gcu|(?<![a-z])ipu"
    r"|hpu|gaudi|neuron|ascend|cuda|accelerator|qaic|(?<![a-z])[ahvlb][0-9]{1,3}0{1,2}[a-z]*$|rngd|warboy|wormhole|dvpp",
    re.IGNORECASE,
)
#: vendors that sell little else
_VENDOR = re.compile(
    r"^(nvidia|amd|habana|cambricon|iluvatar|enflame|mthreads|metax-tech|birentech|hygon|furiosa|"
    r"rebellions|tenstorrent|graphcore|cerebras|sambanova|kunlunxin|qualcomm|gpu\.intel)\.[a-z.]+/",
    re.IGNORECASE,
)
#: devices that are none: networks, files, machines in machines
_OTHER = re.compile(
    r"^[^/]*$|kubernetes\.io/|^(hugepages|requests|limits)|rdma|efa|sriov|(?<![a-z])(eni|ip|vf|nic|roce|ib|hca|fuse|kvm|tun|tap|"
    r"net|sgx|qat|fpga|dlb|dsa|iaa|bond|macvlan|hostdev|networks?|vhost|memory|cpu|pool|dongle)(?![a-z])|"
    r"network|vhost-net|mellanox|devices\.kubevirt\.io|smarter-devices|pod-eni|branch|wireguard",
    re.IGNORECASE,
)
_QUANTITY = re.compile(r"([0-9]{1,12})(m|k|)")
_BARE = re.compile(r"v?gpus?", re.IGNORECASE)


@cache
def gpu_name(name: str) -> Literal["yes", "no", "maybe"]:
    """Tell whether an extended resource or a device class is a GPU, by its name.

    >>> gpu_name("huawei.com/Ascend910"), gpu_name("rdma/hca"), gpu_name("acme.io/widget")
    ('yes', 'no', 'maybe')
    """
    if _BARE.fullmatch(name):
        return "yes"
    device = name.rpartition("/")[2]
    if "/" in name and (GPU_WORDS.search(device) or GPU_WORDS.search(name.partition("/")[0] + "/")):
        return "yes"
    if _OTHER.search(name):
        return "no"
    return "yes" if _VENDOR.match(name) else "maybe"


def whole(value: object) -> int | None:
    """Return a Kubernetes quantity where it is a whole number: 1, "1", "1000m", "1k"."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    found = _QUANTITY.fullmatch(str(value)) if not isinstance(value, (bool, float)) else None
    if found is None:
        return None
    count, unit = int(found.group(1)), found.group(2)
    if unit == "m":
        return count // 1000 if count % 1000 == 0 else None
    return count * (1000 if unit else 1)
