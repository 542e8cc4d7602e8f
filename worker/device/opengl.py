"""Whether this machine can draw by OpenGL without a screen, asked before Blender tries it.

Blender does not check: where no driver offers it, its process ends on the spot.
"""

from __future__ import annotations

import ctypes
import json
import sys
from dataclasses import asdict, dataclass
from typing import Any

LIBRARY = "libEGL.so.1"
VERSIONS = ((4, 6), (4, 5), (4, 4), (4, 3))
"""Those that Blender takes, best first."""
IN_SOFTWARE = ("llvmpipe", "softpipe", "swrast")
"""Names of what draws on the CPU."""

SURFACELESS = 0x31DD
OPENGL_API, OPENGL_BIT, PBUFFER_BIT, CORE_PROFILE = 0x30A2, 0x8, 0x1, 0x1
RENDERABLE_TYPE, SURFACE_TYPE, WIDTH, HEIGHT, NONE = 0x3040, 0x3033, 0x3057, 0x3056, 0x3038
MAJOR, MINOR, PROFILE = 0x3098, 0x30FB, 0x30FD
GL_RENDERER, GL_VERSION = 0x1F01, 0x1F02
"""Numbers of EGL and OpenGL."""

Handle = ctypes.c_void_p


@dataclass(frozen=True)
class OpenGL:
    """What a machine offers."""

    renderer: str = ""
    """What draws; empty where nothing does."""
    version: str = ""
    reason: str = ""
    """Why nothing does."""

    @property
    def in_software(self) -> bool:
        """The CPU draws."""
        return self.renderer.startswith(IN_SOFTWARE)


def find_opengl() -> OpenGL:
    """Return what draws without a screen here, asked for in the way in which Blender asks."""
    if not sys.platform.startswith("linux"):
        return OpenGL("the system's own")
    try:
        egl = typed(ctypes.CDLL(LIBRARY))
    except (OSError, AttributeError):
        return OpenGL(reason=f"{LIBRARY} is not installed, or older than EGL 1.5")
    display = egl.eglGetPlatformDisplay(SURFACELESS, None, None)
    if not display or not egl.eglInitialize(display, None, None):
        return OpenGL(reason="no driver offers EGL without a screen")
    try:
        return draw_with(egl, display)
    finally:
        egl.eglTerminate(display)


def draw_with(egl: Any, display: Handle) -> OpenGL:
    """Make a context as Blender does, ask who draws, and remove it."""
    egl.eglBindAPI(OPENGL_API)
    config, count = Handle(), ctypes.c_int()
    wanted = numbers(RENDERABLE_TYPE, OPENGL_BIT, SURFACE_TYPE, PBUFFER_BIT)
    egl.eglChooseConfig(display, wanted, ctypes.byref(config), 1, ctypes.byref(count))
    if not count.value:
        return OpenGL(reason="the driver offers no OpenGL without a screen")
    surface = egl.eglCreatePbufferSurface(display, config, numbers(WIDTH, 1, HEIGHT, 1))
    for major, minor in VERSIONS:
        version = numbers(MAJOR, major, MINOR, minor, PROFILE, CORE_PROFILE)
        context = egl.eglCreateContext(display, config, None, version)
        if context and egl.eglMakeCurrent(display, surface, surface, context):
            found = OpenGL(text(egl, GL_RENDERER), text(egl, GL_VERSION))
            egl.eglMakeCurrent(display, None, None, None)
            egl.eglDestroyContext(display, context)
            return found
    return OpenGL(reason="the driver's OpenGL is older than 4.3")


def typed(egl: Any) -> Any:
    """Say of the library's functions which of their values are pointers."""
    for name in ("eglGetPlatformDisplay", "eglCreateContext", "eglCreatePbufferSurface"):
        getattr(egl, name).restype = Handle
    egl.eglGetProcAddress.restype = Handle
    egl.eglGetPlatformDisplay.argtypes = [ctypes.c_uint, Handle, Handle]
    egl.eglInitialize.argtypes = [Handle, Handle, Handle]
    egl.eglTerminate.argtypes = [Handle]
    egl.eglChooseConfig.argtypes = [Handle, Handle, Handle, ctypes.c_int, Handle]
    egl.eglCreatePbufferSurface.argtypes = [Handle, Handle, Handle]
    egl.eglCreateContext.argtypes = [Handle, Handle, Handle, Handle]
    egl.eglMakeCurrent.argtypes = [Handle, Handle, Handle, Handle]
    egl.eglDestroyContext.argtypes = [Handle, Handle]
    return egl


def numbers(*pairs: int) -> Any:
    """Return a list of attributes and their values."""
    return (ctypes.c_int * (len(pairs) + 1))(*pairs, NONE)


def text(egl: Any, number: int) -> str:
    """Ask OpenGL for one of its names."""
    ask = ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_uint)(egl.eglGetProcAddress(b"glGetString"))
    return (ask(number) or b"").decode(errors="replace")


if __name__ == "__main__":  # asked by `farm doctor`, which must not import the worker
    sys.stdout.write(json.dumps(asdict(find_opengl())))
