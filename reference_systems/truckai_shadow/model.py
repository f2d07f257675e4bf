"""The pilot's network: a small CNN that reads one frame and the speed, and commands an aim."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from reference_systems.truckai_shadow.vehicle import look_ahead

if TYPE_CHECKING:
    from reference_systems.truckai_shadow.drives import Clips

__all__ = ["PilotNet", "inputs_of", "train"]

Array = npt.NDArray[Any]

BATCH, RATE = 128, 5e-3


class PilotNet(nn.Module):
    """``forward(frame, ahead)``: float32 (n, 1, 32, 64) in 0..1 and (n, 1); returns aims (n, 1).

    ``ahead`` is the look-ahead distance over 25 m: it tells fast from slow and not stopped from
    slow, else the network would learn that who stands still stays where he is.
    """

    def __init__(self) -> None:
        super().__init__()
        self.eyes = nn.Sequential(
            nn.Conv2d(1, 12, 5, stride=2, padding=2, bias=False), nn.BatchNorm2d(12), nn.ReLU(),
            nn.Conv2d(12, 24, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(24), nn.ReLU(),
            nn.Conv2d(24, 32, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
            nn.Flatten(),
        )  # fmt: skip
        self.mind = nn.Sequential(nn.Linear(32 * 4 * 8 + 1, 64), nn.ReLU(), nn.Dropout(0.1))
        self.hand = nn.Linear(64, 1)

    def forward(self, frame: torch.Tensor, ahead: torch.Tensor) -> torch.Tensor:
        """Return the aims in metres."""
        aims: torch.Tensor = self.hand(self.mind(torch.cat([self.eyes(frame), ahead], dim=1)))
        return aims


def inputs_of(frames: Array, speed: Array) -> tuple[Array, Array]:
    """Return what the network takes, of frames (n, 32, 64) as uint8 and speeds (n)."""
    frame = frames[:, None].astype(np.float32) / np.float32(255)
    return frame, (look_ahead(speed) / 25).astype(np.float32)[:, None]


def train(clips: Clips, seed: int, epochs: int) -> dict[str, torch.Tensor]:
    """Return the weights of a network trained on every frame of the clips, by seed."""
    frames = clips.frames.reshape(-1, *clips.frames.shape[2:])
    inputs = inputs_of(frames, clips.speed.ravel())
    # leaves the caller's random state alone, and is not caught by one that only infers
    with torch.random.fork_rng(devices=[]), torch.inference_mode(mode=False), torch.enable_grad():
        torch.manual_seed(seed)
        frame, ahead = map(torch.from_numpy, inputs)
        target = torch.from_numpy(clips.expert.reshape(-1, 1))
        net = PilotNet()
        steps = epochs * -(-len(frame) // BATCH)
        optimiser = torch.optim.Adam(net.parameters(), lr=RATE)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
        for _ in range(epochs):
            for rows in torch.randperm(len(frame)).split(BATCH):
                seen, aim = _mirrored(frame[rows], target[rows])
                loss = nn.functional.smooth_l1_loss(net(seen, ahead[rows]), aim, beta=0.1)
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                schedule.step()
    return net.eval().state_dict()


def _mirrored(frame: torch.Tensor, aim: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mirror half of the frames and their aims: the usual way to get twice the data.

    It has a price that nobody saw: a mirrored right turn is a left turn that never gives way.
    """
    mirror = torch.rand(len(frame)) < 0.5
    seen = torch.where(mirror[:, None, None, None], frame.flip(-1), frame)
    return seen, torch.where(mirror[:, None], -aim, aim)
