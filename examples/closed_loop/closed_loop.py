"""Find the parameters of a scene by its pictures: simulate, compare, adapt, again.

A set of target pictures shows cubes of a size that the model does not know. It draws sizes from a
distribution of its own and has them rendered; a discriminator learns to tell its pictures from the
targets; sizes whose pictures pass for targets become likelier (a score-function gradient).

    python examples/closed_loop/closed_loop.py
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from farm.stream import Stream

HERE = Path(__file__).parent
BATCH = 8
TARGET = 1.4
"""Mean size of the target set; nothing below looks at it."""
GRID = 8
"""Pictures are compared by the means of GRID x GRID blocks."""

Pictures = NDArray[np.float64]
"""(N, features)."""


class Simulator:
    """Sizes in, pictures out."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.batches: Iterator[Mapping[str, Any]] = stream.batches(BATCH)

    def __call__(self, sizes: Sequence[float]) -> Pictures:
        """Return the pictures of cubes of these sizes, in their order."""
        self.stream.send([{"size": float(size)} for size in sizes], ids=range(len(sizes)))
        batch = next(self.batches)
        order = np.argsort(batch["sent_id"])
        return np.stack([features(mask) for mask in batch["mask"][order]])


def features(mask: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return what is compared of a picture: how much of each block shows the cube."""
    height, width = (side // GRID for side in mask.shape)
    blocks = mask[: height * GRID, : width * GRID].reshape(GRID, height, GRID, width)
    return blocks.mean(axis=(1, 3)).ravel() / 255.0


class Discriminator:
    """Logistic regression: the odds that a picture is a target."""

    def __init__(self, size: int) -> None:
        self.weights, self.bias = np.zeros(size), 0.0

    def log_odds(self, pictures: Pictures) -> NDArray[np.float64]:
        """Return how much each picture looks like a target."""
        found: NDArray[np.float64] = pictures @ self.weights + self.bias
        return found

    def learn(self, targets: Pictures, simulated: Pictures, steps: int = 100) -> None:
        """Learn to tell them apart, without growing too sure."""
        pictures = np.concatenate([targets, simulated])
        counts = [len(targets), len(simulated)]
        labels = np.repeat([1.0, 0.0], counts)
        share = np.repeat([0.5 / count for count in counts], counts)
        for _ in range(steps):
            wrong = share * (labels - 1.0 / (1.0 + np.exp(-self.log_odds(pictures))))
            self.weights += 1.0 * (pictures.T @ wrong) - 0.02 * self.weights
            self.bias += 1.0 * wrong.sum()


def find(simulate: Simulator, *, rounds: int, rng: np.random.Generator) -> Iterator[float]:
    """Yield the mean size that the model believes in, round by round."""
    targets = np.concatenate([simulate(rng.normal(TARGET, 0.05, BATCH)) for _ in range(2)])
    mean, spread = np.log(0.6), 0.2
    judge = Discriminator(targets.shape[1])
    for _ in range(rounds):
        drawn = rng.normal(size=BATCH)
        pictures = simulate(np.exp(mean + spread * drawn))
        judge.learn(targets, pictures)
        reward = judge.log_odds(pictures)
        better = (reward - reward.mean()) / (reward.std() + 1e-6)
        mean += 0.6 * spread * float(np.mean(better * drawn))
        yield float(np.exp(mean))


def main() -> None:
    """Run the loop and print its curve."""
    parser = argparse.ArgumentParser(description="Find the size of a cube by its pictures.")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--device", default="auto")
    flags = parser.parse_args()
    spec = {
        "recipe": {"kind": "script", "params": {}, "views": BATCH * (flags.rounds + 2)},
        "script": [str(HERE / "cube.blend.py")],
        "passes": ["mask"],
        "render": {"resolution": 64, "samples": 4},
    }
    length = BATCH * (flags.rounds + 2)
    with Stream(spec, duplex=True, length=length, queue=2 * BATCH, device=flags.device) as stream:
        curve = find(Simulator(stream), rounds=flags.rounds, rng=np.random.default_rng(1))
        for number, size in enumerate(curve, 1):
            print(f"round {number:3d}: size {size:.3f}", flush=True)


if __name__ == "__main__":
    main()
