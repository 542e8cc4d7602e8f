"""What a machine with an NVIDIA GPU does with this farm: one command, at most six minutes.

    python -m bench.gpu [--device optix:0] [--budget-s 360] [--out gpu] [--small]

Needs what the worker needs and nothing else. Each part runs processes of its own and adds a
line to `gpu.jsonl` as soon as it is done, so that a run that is cut off has what it measured;
`gpu.json` and `gpu.md` have all. A part that does not fit into the time left is skipped, and said
to be. With `--device cpu` all parts run on the CPU, which proves nothing of a GPU.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from farm.devices import list_gpus
from farm.local.processes.redis_server import PrivateRedis
from farm.spec.passes import PassName
from farm.spec.record import ViewRecord, read_record
from worker.device.gauges import read_gauges
from worker.supervisor.warm_kernels import ticking
from worker.supervisor.watchdog import family

LABELS: tuple[PassName, ...] = ("mask", "depth", "index")
MB = 1 << 20
Found = dict[str, Any]


@dataclass(frozen=True)
class Sizes:
    """How much is rendered."""

    speeds: tuple[tuple[int, int, int], ...] = ((640, 64, 24), (256, 4, 96))
    """(pixels, samples, views) of what is timed."""
    labels_px: int = 256
    memory_tasks: int = 200
    lost: tuple[int, int, int] = (256, 64, 24)
    """(pixels, samples, views) of the job whose renderer is killed."""


SMALL = Sizes(((80, 4, 4), (64, 4, 4)), labels_px=64, memory_tasks=18, lost=(160, 96, 6))


@dataclass
class Bench:
    """Where parts run, and how long they may."""

    device: str
    folder: Path
    assets: Path
    deadline: float
    sizes: Sizes
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def left_s(self) -> float:
        """Seconds until the run must be over."""
        return self.deadline - time.monotonic()

    def farm(self, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the farm."""
        return subprocess.run(
            [sys.executable, "-m", "farm", *options],
            capture_output=True,
            text=True,
            timeout=max(self.left_s, 1.0),
            env=os.environ | self.environment | environment,
            check=False,
        )

    def render(
        self, name: str, *options: str, device: str | None = None, every: bool = False
    ) -> list[ViewRecord]:
        """Render a sample, or each; return the records of all views, in the order of their names.

        Raises:
            RuntimeError: The command failed.
        """
        models, hdrs = (sorted((self.assets / kind).iterdir()) for kind in ("models", "hdrs"))
        done = self.farm(
            "render",
            *("--models", str(models[0].parent if every else models[0])),
            *("--hdrs", str(hdrs[0].parent if every else hdrs[0])),
            *("--device", device or self.device, "--output", str(self.folder / name), "--yes"),
            *options,
        )
        if done.returncode:
            raise RuntimeError(last_line(done.stderr or done.stdout))
        return records_of(self.folder / name)


def records_of(output: Path) -> list[ViewRecord]:
    """Return the records of what was rendered to `output`."""
    lines = [
        line for file in output.rglob("views.jsonl") for line in file.read_bytes().splitlines()
    ]
    return sorted(map(read_record, lines), key=lambda record: record.view.name)


def last_line(text: str) -> str:
    """Return the last line that says something."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def find_hardware(bench: Bench) -> Found:
    """Name the GPUs, the driver, and what `farm doctor` says of them."""
    told = bench.farm("doctor", "--json", "--only", "blender,gpus,kernels,device,sandbox,opengl")
    findings = [json.loads(line) for line in told.stdout.splitlines() if line.startswith("{")]
    gpus = [
        f"{gpu.index}: {gpu.name}, compute capability {gpu.capability}, driver {gpu.driver}"
        for gpu in list_gpus()
    ]
    return {"gpus": gpus, "doctor": findings, "well": bool(gpus) or bench.device == "cpu"}


def compile_kernels(bench: Bench) -> Found:
    """Time the first `--warm-kernels`, and the second, which finds all done."""
    seconds = []
    for _ in range(2):
        began = time.monotonic()
        done = bench.farm("worker", "--warm-kernels", "--device", bench.device)
        seconds.append(round(time.monotonic() - began, 1))
        if done.returncode:
            return {"well": False, "problem": last_line(done.stderr)}
    cache = Path(bench.environment["FARM_KERNEL_CACHE"])
    size = sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())
    return {"well": True, "first_s": seconds[0], "again_s": seconds[1], "cache_mb": size // MB}


def time_pictures(bench: Bench) -> Found:
    """Measure views per second and the share of time in which Cycles samples."""
    found: Found = {"well": True}
    for px, samples, views in bench.sizes.speeds:
        rows = bench.render(
            f"speed-{px}", "--resolution", str(px), "--samples", str(samples),
            "--yaw", str(views), "--pitch", "1", "--workers", "1",
        )  # fmt: skip
        later = [row.timings for row in rows if row.timings.load_s == 0.0]
        view_s = statistics.median(each.render_s for each in later)
        sample_s = statistics.median(each.sample_s for each in later)
        found |= {
            f"{px} px/{samples}: seconds of Cycles per view": round(view_s, 4),
            f"{px} px/{samples}: of these sampling": round(sample_s / view_s, 3),
            f"{px} px/{samples}: views": len(rows),
        }
        found["device"] = rows[0].device
        found["denoiser"] = rows[0].denoiser
    found["well"] = bench.device.split(":")[0] in found["device"]
    return found


def compare_labels(bench: Bench) -> Found:
    """Render the same views here and on the CPU; compare labels pixel by pixel."""
    size, passes = str(bench.sizes.labels_px), "rgb,mask,depth,index"
    options = ("--resolution", size, "--samples", "16", "--yaw", "4", "--pitch", "1",
               "--passes", passes, "--no-denoise")  # fmt: skip
    ours = bench.render("labels-here", *options)
    theirs = bench.render("labels-cpu", *options, device="cpu")
    off = {
        name: round(
            statistics.fmean(
                difference(
                    picture(bench.folder / "labels-here", one, name),
                    picture(bench.folder / "labels-cpu", two, name),
                )
                for one, two in zip(ours, theirs, strict=True)
            ),
            6,
        )
        for name in LABELS
    }
    return {"well": max(off.values()) < 0.002, "views": len(ours), "share of pixels off": off}


def picture(output: Path, record: ViewRecord, name: PassName) -> NDArray[Any]:
    """Return the pixels of one of a view's files."""
    dataset = next(output.rglob("views.jsonl")).parent
    return np.asarray(imagecodecs.imread(dataset / record.files[name].path))


def difference(one: NDArray[Any], two: NDArray[Any]) -> float:
    """Return the share of pixels of two labels that differ by more than rounding."""
    span = np.maximum(np.abs(one.astype(np.float64)), np.abs(two.astype(np.float64)))
    with np.errstate(invalid="ignore"):  # where nothing is seen, depth is infinite in both
        off = np.abs(one.astype(np.float64) - two.astype(np.float64)) > np.maximum(1e-3 * span, 1.0)
    return float((off | (np.isfinite(one) != np.isfinite(two))).mean())


def watch_memory(bench: Bench) -> Found:
    """Render many small tasks in one worker; compare memory early and late."""
    used: list[int] = []
    views = -(-bench.sizes.memory_tasks // 9)  # three models under three HDRIs

    def look() -> None:
        used.append(gpu_memory())

    with ticking(look, every_s=1.0):
        rows = bench.render(
            "memory", "--resolution", "64", "--samples", "4", "--yaw", str(views),
            "--pitch", "1", "--views-per-task", "1", "--workers", "1", every=True,
        )  # fmt: skip
    used = [each for each in used if each]
    quarter = max(len(used) // 4, 1)
    first, last = used[:quarter], used[-quarter:]
    grown = (statistics.median(last) - statistics.median(first)) / MB if used else 0.0
    return {
        "well": grown < 256.0,
        "tasks": len({row.task_id for row in rows}),
        "GPU memory grown (MB)": round(grown, 1),
        "most (MB)": max(used, default=0) // MB,
    }


def gpu_memory() -> int:
    """Return the bytes in use of the first GPU; 0 without one."""
    gauges = next((read_gauges(gpu.uuid) for gpu in list_gpus()[:1]), None)
    return (gauges.memory_used_bytes or 0) if gauges else 0


def share_gpu(bench: Bench) -> Found:
    """Start two workers that want a GPU of their own, and two that name the same one."""
    found: Found = {}
    for name, device in (("auto", "auto"), ("named", bench.device)):
        with workers(bench, device, count=2) as started:
            wait_for_words(bench, started)
            codes = [each.poll() for each in started]
        alive = sum(code is None for code in codes)
        found[f"{name}: alive of two"] = alive
    one_gpu = len(list_gpus()) == 1
    found["well"] = found["named: alive of two"] == 2 and (
        not one_gpu or found["auto: alive of two"] == 1
    )
    return found


def wait_for_words(bench: Bench, started: list[subprocess.Popen[bytes]]) -> None:
    """Give workers the time in which one that finds no GPU gives up."""
    until = time.monotonic() + min(45.0, max(bench.left_s - 5.0, 1.0))
    while time.monotonic() < until and all(each.poll() is None for each in started):
        time.sleep(0.25)


@contextmanager
def workers(bench: Bench, device: str, *, count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run workers of a farm of their own."""
    with PrivateRedis(bench.folder / "redis") as redis:
        environment = os.environ | bench.environment | {
            "FARM_REDIS_URL": redis.url, "FARM_STORAGE": str(bench.folder / "storage"),
            "FARM_DEVICE": device,
        }  # fmt: skip
        started = [
            subprocess.Popen(
                [sys.executable, "-m", "farm", "worker", "--name", f"w{number}"],
                env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
            for number in range(count)
        ]  # fmt: skip
        try:
            yield started
        finally:
            for each in started:
                each.send_signal(signal.SIGTERM)
            for each in started:
                each.wait(timeout=60)


def lose_renderer(bench: Bench) -> Found:
    """Kill a renderer while it holds the device; the job must end whole all the same."""
    killed: list[int] = []
    px, samples, views = bench.sizes.lost

    def kill_one() -> None:
        begun = any((bench.folder / "lost").rglob("*.png"))
        for pid in renderers() if begun and not killed else []:
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)
            return

    with ticking(kill_one, every_s=0.05):
        rows = bench.render(
            "lost", "--resolution", str(px), "--samples", str(samples), "--yaw", str(views),
            "--pitch", "1", "--workers", "1",
        )  # fmt: skip
    return {
        "well": bool(killed) and len(rows) == views,
        "killed": len(killed),
        "views": len(rows),
    }


def renderers() -> list[int]:
    """Return the processes below this one that have loaded Blender."""
    return [pid for pid in family(os.getpid())[1:] if "/bpy/" in maps_of(pid)]


def maps_of(pid: int) -> str:
    """Return which files a process has loaded."""
    try:
        return Path(f"/proc/{pid}/maps").read_text()
    except OSError:
        return ""


PARTS: dict[str, tuple[Callable[[Bench], Found], float]] = {
    "hardware": (find_hardware, 10.0),
    "kernels": (compile_kernels, 5.0),
    "pictures": (time_pictures, 20.0),
    "labels": (compare_labels, 15.0),
    "renderer lost": (lose_renderer, 15.0),
    "two workers": (share_gpu, 20.0),
    "memory": (watch_memory, 25.0),
}
"""Each part, and the seconds that must be left for it."""


def main() -> int:
    """Run all parts that fit; return 1 if one found something wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="optix:0", help="cpu, cuda:N or optix:N")
    parser.add_argument("--budget-s", type=float, default=360.0)
    parser.add_argument("--out", type=Path, default=Path("gpu"))
    parser.add_argument("--small", action="store_true", help="tiny pictures: for CPUs")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="farm-gpu-") as name:
        bench = prepared(Path(name), options)
        found = {part: run_part(bench, part, options.out) for part in options.parts}
    write(options.out, options.device, found)
    return int(not all(each.get("well") for each in found.values()))


def prepared(folder: Path, options: argparse.Namespace) -> Bench:
    """Return a bench with the sample models and HDRIs, and folders of its own."""
    kept = {"FARM_KERNEL_CACHE": os.environ.get("FARM_KERNEL_CACHE", str(folder / "kernels"))}
    deadline = time.monotonic() + options.budget_s
    sizes = SMALL if options.small else Sizes()
    bench = Bench(options.device, folder, folder / "assets", deadline, sizes, kept)
    done = bench.farm("samples", str(bench.assets))
    if done.returncode:
        raise SystemExit(last_line(done.stderr))
    return bench


def run_part(bench: Bench, name: str, out: Path) -> Found:
    """Run a part, or say why it was not; its result is on disk before the next begins."""
    work, needs_s = PARTS[name]
    if bench.left_s < needs_s:
        found: Found = {"well": False, "skipped": f"{bench.left_s:.0f} s were left"}
    else:
        began = time.monotonic()
        try:
            found = work(bench)
        except (RuntimeError, OSError, ValueError, subprocess.TimeoutExpired) as error:
            found = {"well": False, "problem": str(error)[:500]}
        found["took_s"] = round(time.monotonic() - began, 1)
    with (out / "gpu.jsonl").open("a") as file:
        file.write(json.dumps({"part": name, **found}) + "\n")
    print(f"{name}: {json.dumps(found)}", flush=True)
    return found


def write(out: Path, device: str, found: dict[str, Found]) -> None:
    """Write everything as JSON, and as a table for people."""
    (out / "gpu.json").write_text(json.dumps({"device": device, **found}, indent=2) + "\n")
    rows = [
        f"| {part} | {name} | {value} |"
        for part, told in found.items()
        for name, value in told.items()
        if name != "doctor"
    ]
    table = "\n".join(["| part | what | found |", "|---|---|---|", *rows])
    (out / "gpu.md").write_text(f"Device asked for: `{device}`\n\n{table}\n")


if __name__ == "__main__":
    raise SystemExit(main())
