"""Find the parameters of a scene from its pictures alone, in a loop that is closed by a stream.

    python examples/closed_loop/closed_loop.py

There are pictures of bars whose sizes nobody tells (the target). A model of sizes, two log-normal
distributions, proposes others; the farm renders them; a discriminator learns to tell the two kinds
of pictures apart, and the model is moved to where it is fooled. Pictures cannot be differentiated
by sizes, so the gradient is that of the score function: log p(size) times how well it fooled.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from farm.stream import Stream

HERE = Path(__file__).parent
NAMES = ("width", "height")
TARGET = {"mean": np.log([1.6, 0.6]), "std": 0.08}
START = {"mean": np.log([0.7, 1.3]), "std": 0.25}
LEAST_STD = 0.08
BATCH = 16
"""Views of a round."""
CELLS = 16
"""Cells of a picture that the discriminator looks at, along each side."""


def spec(engine: str) -> dict:
    """Describe what is rendered: small pictures, two parameters that the loop sends."""
    size = {"kind": "uniform", "low": 0.1, "high": 4.0}
    return {
        "recipe": {"kind": "script", "views": 100_000, "randomise": dict.fromkeys(NAMES, size)},
        "script": str(HERE / "bar.py"),
        "passes": ["rgb"],
        "render": {"resolution": 64, "samples": 4, "engine": engine},
    }


@dataclass
class Sizes:
    """The model of sizes: each is log-normal, on its own."""

    mean: np.ndarray
    """Of the logarithms (2,)."""
    std: np.ndarray

    def draw(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Return logarithms of sizes (count, 2)."""
        return np.clip(rng.normal(self.mean, self.std, (count, 2)), np.log(0.1), np.log(4.0))

    def learn(self, drawn: np.ndarray, reward: np.ndarray, rate: float) -> None:
        """Follow the score function's gradient, in the natural measure of a normal distribution."""
        away = (drawn - self.mean) / self.std
        merit = ((reward - reward.mean()) / (reward.std() + 1e-6))[:, None]
        self.mean = self.mean + rate * self.std * (merit * away).mean(0)
        wider = np.exp(0.5 * rate * (merit * (away**2 - 1)).mean(0))
        self.std = np.clip(self.std * wider, LEAST_STD, 0.5)


@dataclass
class Discriminator:
    """Logistic regression: how much a picture looks like one of the target's."""

    weights: np.ndarray = field(default_factory=lambda: np.zeros(CELLS * CELLS))
    bias: float = 0.0

    def logits(self, pictures: np.ndarray) -> np.ndarray:
        """Return a number for each picture (N,): above 0, it is thought to be the target's."""
        return pictures @ self.weights + self.bias

    def learn(self, real: np.ndarray, made: np.ndarray, steps: int = 20) -> None:
        """Take some steps of gradient descent; what was learnt before fades."""
        seen = np.concatenate([real, made])
        wanted = np.repeat([1.0, 0.0], [len(real), len(made)])
        for _ in range(steps):
            miss = wanted - 1.0 / (1.0 + np.exp(-self.logits(seen)))
            self.weights += 0.1 * (miss @ seen / len(seen) * 2 - 0.05 * self.weights)
            self.bias += 0.1 * miss.mean()


def look(rgb: np.ndarray) -> np.ndarray:
    """Return what the discriminator sees of a picture (H, W, 3): few grey cells around 0."""
    side = rgb.shape[0] // CELLS
    grey = rgb.astype(float).mean(-1).reshape(CELLS, side, CELLS, side).mean((1, 3))
    return (grey.ravel() - 60.0) / 60.0


class Loop:
    """Parameters out, pictures in."""

    def __init__(self, views: Stream) -> None:
        self._views = views
        self._batches = views.batches(BATCH)

    def render(self, logs: np.ndarray) -> np.ndarray:
        """Return what is seen of sizes (BATCH, 2), in their order: (BATCH, cells)."""
        asked = [dict(zip(NAMES, map(float, each), strict=True)) for each in np.exp(logs)]
        self._views.send(asked, ids=range(len(asked)))
        batch = next(self._batches)
        return np.stack([look(batch["rgb"][place]) for place in np.argsort(batch["sent_id"])])


def distance(model: Sizes) -> float:
    """Return how far the model's mean is from the target's, in logarithms."""
    return float(np.linalg.norm(model.mean - TARGET["mean"]))


def train(loop: Loop, *, rounds: int, seed: int = 0) -> list[float]:
    """Run the loop; return the distance to the target before it, and after each round."""
    rng = np.random.default_rng(seed)
    target = Sizes(TARGET["mean"], np.full(2, TARGET["std"]))
    model = Sizes(START["mean"], np.full(2, START["std"]))
    real = np.concatenate([loop.render(target.draw(BATCH, rng)) for _ in range(3)])
    judge, distances = Discriminator(), [distance(model)]
    for number in range(rounds):
        drawn = model.draw(BATCH, rng)
        made = loop.render(drawn)
        judge.learn(real, made)
        model.learn(drawn, judge.logits(made), rate=0.6)
        distances.append(distance(model))
        width, height = np.exp(model.mean)
        said = f"{number + 1:3}  width {width:.2f}  height {height:.2f}  off {distances[-1]:.3f}"
        print(said, flush=True)
    return distances


def draw_curve(distances: list[float], path: Path, size: tuple[int, int] = (640, 400)) -> None:
    """Draw the distance over the rounds."""
    width, height, edge = *size, 50
    picture = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(picture)
    top = max(distances)
    last = max(len(distances) - 1, 1)

    def at(number: float, value: float) -> tuple[float, float]:
        along = edge + number / last * (width - 2 * edge)
        return along, height - edge - value / top * (height - 2 * edge)

    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        pen.line([at(0, share * top), at(last, share * top)], fill="#dddddd")
        pen.text((8, at(0, share * top)[1] - 6), f"{share * top:.2f}", fill="black")
    for number in sorted({0, last // 2, last}):
        pen.text((at(number, 0)[0] - 6, height - edge + 8), str(number), fill="black")
    pen.line([at(*each) for each in enumerate(distances)], fill="#c03020", width=3)
    pen.text((edge, 12), "distance of the mean to the target (logarithms)", fill="black")
    pen.text((width // 2 - 30, height - 22), "round", fill="black")
    picture.save(path)


def main() -> None:
    """Run the loop on a farm that comes up with it, and draw its curve."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--engine", choices=("cycles", "eevee"), default="cycles")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--curve", type=Path, default=Path("closed_loop.png"))
    wish = parser.parse_args()
    with Stream(
        spec(wish.engine),
        duplex=True,
        queue=2 * BATCH,
        length=100_000,
        device=wish.device,
        timeout_s=300,
    ) as views:
        distances = train(Loop(views), rounds=wish.rounds)
    draw_curve(distances, wish.curve)
    print(f"from {distances[0]:.3f} to {distances[-1]:.3f}: {wish.curve}")


if __name__ == "__main__":
    main()
