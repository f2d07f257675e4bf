"""The network: fully convolutional, one answer for each cell of 8 x 8 pixels.

In: four planes in [0, 1]: the photograph, what it has too much and too little of against its
aligned template, and whether there is a template at all. Out: how likely a defect has its middle
in the cell (a logit), and how far the four sides of its box are from the cell's middle.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

__all__ = ["CELL", "PLANES", "REACH", "DefectNet", "folded", "planes"]

CELL = 8
PLANES = 4
#: pixels that a distance of 1 stands for
REACH = 32.0
_WIDTH = 48
_DILATIONS = (1, 2, 4, 1)

Floats = npt.NDArray[np.float32]


class _Conv(nn.Module):
    def __init__(self, inputs: int, outputs: int, size: int, step: int = 1, apart: int = 1) -> None:
        super().__init__()
        pad = apart * (size // 2)
        self.conv = nn.Conv2d(inputs, outputs, size, step, pad, apart, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.norm(self.conv(x)))


class DefectNet(nn.Module):
    """About 100,000 weights; sees some 70 pixels around each cell.

    >>> DefectNet().eval()(torch.zeros(1, 4, 64, 80)).shape
    torch.Size([1, 5, 8, 10])
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            _Conv(PLANES, 12, 5, 2), _Conv(12, 24, 3, 2), _Conv(24, 24, 3), _Conv(24, _WIDTH, 3, 2)
        )
        self.body = nn.ModuleList(_Conv(_WIDTH, _WIDTH, 3, 1, apart) for apart in _DILATIONS)
        self.head = nn.Conv2d(_WIDTH, 5, 1)
        nn.init.constant_(self.head.bias, -4.0)  # defects are rare
        with torch.no_grad():
            self.head.bias[1:] = 0.5

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, 5, height / 8, width / 8) for planes (n, 4, height, width)."""
        x = self.stem(x)
        for part in self.body:
            x = x + part(x)
        out: Tensor = self.head(x)
        return out


def folded(state: dict[str, Tensor]) -> list[tuple[str, Floats, Floats, int, int]]:
    """Return the layers of a state as (name, weights, biases, step, dilation), norms folded in."""
    net = DefectNet()
    net.load_state_dict(state)
    net.eval()
    layers = []
    for name, part in net.named_modules():
        if isinstance(part, _Conv):
            norm = part.norm
            assert norm.running_var is not None
            assert norm.running_mean is not None
            scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            weight = part.conv.weight * scale[:, None, None, None]
            bias = norm.bias - norm.running_mean * scale
            step, apart = part.conv.stride[0], part.conv.dilation[0]
            layers.append((name, _plain(weight), _plain(bias), step, apart))
    assert net.head.bias is not None
    layers.append(("head", _plain(net.head.weight), _plain(net.head.bias), 1, 1))
    return layers


def planes(
    photo: npt.NDArray[np.uint8],
    extra: npt.NDArray[np.bool_] | None = None,
    missing: npt.NDArray[np.bool_] | None = None,
) -> Floats:
    """Return the four planes of a photograph; without masks there is no template.

    >>> planes(np.zeros((8, 8), np.uint8)).shape
    (4, 8, 8)
    """
    out = np.zeros((PLANES, *photo.shape), np.float32)
    out[0] = photo / np.float32(255)
    if extra is not None and missing is not None:
        out[1], out[2], out[3] = extra, missing, 1.0
    return out


def _plain(tensor: Tensor) -> Floats:
    return tensor.detach().numpy().astype(np.float32)
