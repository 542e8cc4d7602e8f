"""What `farm doctor` looks at: each check answers with findings, each finding with a remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from farm.doctor.finding import Finding
from farm.errors import SpecError
from farm.spec.hint import none_of

__all__ = ["Finding", "examine"]


def checks() -> Mapping[str, Callable[[], Iterator[Finding]]]:
    """Return all checks by name, in the order in which they are printed."""
    from farm.doctor import farm, gpus, machine, renderer, scripts, standing, walls

    return {
        "python": machine.python,
        "packages": machine.packages,
        "blender": renderer.blender,
        "opengl": renderer.opengl,
        "gpus": gpus.gpus,
        "scripts": scripts.scripts,
        "kernels": renderer.kernel_cache,
        "sandbox": walls.sandbox,
        "device": walls.device,
        "memory": machine.shared_memory,
        "up": farm.up,
        "storage": farm.storage,
        "tokens": standing.tokens,
        "datasets": standing.datasets,
        "redis": farm.redis,
        "workers": standing.quarantine,
        "login": farm.login,
    }


def probes() -> Mapping[str, Callable[[], Iterator[Finding]]]:
    """Return the checks of one part, made only when asked for: the health checks of containers."""
    from farm.doctor import parts

    return {
        "api": parts.api,
        "dispatcher": parts.dispatcher,
        "flower": parts.flower,
        "worker": parts.worker,
    }


def examine(only: tuple[str, ...] = ()) -> Iterator[Finding]:
    """Yield the findings of all checks, or of those named in `only`.

    Raises:
        SpecError: No check has such a name.
    """
    known = {**checks(), **probes()}
    for name in only:
        if name not in known:
            raise SpecError(f"--only: {none_of(name, known)}")
    for name in only or checks():
        yield from known[name]()
