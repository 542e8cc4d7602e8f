"""What the shaders of a material say of its surface: colour, roughness, metal, light, glass.

Each shader tells sums, weighted by its share of the surface, so that a mix of shaders is a mix of
these; `worker.labels.surface` divides them by the shares.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from worker.blender.materials.transparency import (
    NOTHING,
    VECTOR,
    Level,
    Scope,
    Socket,
    UndecidedError,
    as_colour,
    inputs_of,
    is_socket,
    source,
    twin_of,
    value_of,
)  # fmt: skip
from worker.blender.materials.vectors import (
    WHOLE,
    Number,
    held,
    joined,
    mixed,
    number_of,
    scaled,
    summed,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Told:
    """What shaders say of a surface: vectors, each a sum over shares of the surface."""

    base: Level = NOTHING
    """Colour."""
    finish: Level = NOTHING
    """Roughness, metal, glass."""
    light: Level = NOTHING
    """Light of its own."""
    shares: Level = NOTHING
    """The share that has a colour, that which has a roughness, and that which only shines."""

    @property
    def is_silent(self) -> bool:
        """Nothing is said at all."""
        return all(part == NOTHING for part in self.parts)

    def scaled(self, scope: Scope, factor: Number) -> Told:
        """Return what a part of the surface says."""
        return Told(*(scaled(scope, part, factor) for part in self.parts))

    @property
    def parts(self) -> tuple[Level, ...]:
        """The vectors, in order."""
        return self.base, self.finish, self.light, self.shares


NAMES = tuple(each.name for each in fields(Told))


class Reader:
    """Reads the shaders of one material, each of them once."""

    def __init__(self) -> None:
        self._known: dict[tuple[Scope, str, str], Told] = {}

    def read(self, scope: Scope, shader: Socket) -> Told:
        """Return what is said by what an input for shaders gets.

        Raises:
            UndecidedError: Only Cycles knows which shader that is.
        """
        output = source(shader)
        if output is None:
            return Told()
        key = scope, output.node.name, output.identifier
        if key not in self._known:
            self._known[key] = self._read(scope, output)
        return self._known[key]

    def _read(self, scope: Scope, output: Socket) -> Told:
        kind = output.node.bl_idname
        if kind in JOINTS:
            return JOINTS[kind](self, scope, output)
        if output.type != "SHADER":  # Cycles takes colours for light
            return shining(scope, as_colour(value_of_output(scope, output)), 1.0)
        if not kind.startswith("ShaderNode"):
            raise UndecidedError(kind)
        return SHADERS[kind](Inputs(scope, output.node)) if kind in SHADERS else Told()


@dataclass(frozen=True, eq=False)
class Inputs:
    """The inputs of a shader's node."""

    scope: Scope
    node: Any

    def number(self, name: str) -> Number:
        """Return a number."""
        socket = self.node.inputs[name]
        return number_of(value_of(self.scope, socket))

    def share(self, name: str) -> Number:
        """Return a number within 0..1."""
        return held(self.scope, self.number(name))

    def colour(self, name: str) -> Level:
        """Return a colour."""
        return as_colour(value_of(self.scope, self.node.inputs[name]))


def value_of_output(scope: Scope, output: Socket) -> Any:
    """Return what an output gives: of a group's input what comes in, where that is known."""
    if output.node.bl_idname == "NodeGroupInput" and scope.around is not None:
        outer = twin_of(output, scope.group.inputs)
        known = output if outer is None else value_of(scope.around, outer)
        return output if is_socket(known) else known
    return output


def scattering(
    scope: Scope,
    base: Level,
    *,
    roughness: Number | None,
    metallic: Number = 0.0,
    transmission: Number = 0.0,
) -> Told:
    """Return what is said by a surface that has a colour, and perhaps a roughness."""
    finish = joined(scope, 0.0 if roughness is None else roughness, metallic, transmission)
    return Told(base, finish, NOTHING, (1.0, 0.0 if roughness is None else 1.0, 0.0))


def shining(scope: Scope, colour: Level, strength: Number) -> Told:
    """Return what is said by a surface that only shines."""
    return Told(light=scaled(scope, colour, strength), shares=(0.0, 0.0, 1.0))


def of_principled(given: Inputs) -> Told:
    """Return what a Principled BSDF says, whatever is laid over it."""
    scope = given.scope
    said = scattering(
        scope,
        given.colour("Base Color"),
        roughness=given.share("Roughness"),
        metallic=given.share("Metallic"),
        transmission=given.share("Transmission Weight"),
    )
    light = scaled(scope, given.colour("Emission Color"), given.number("Emission Strength"))
    return Told(said.base, said.finish, light, said.shares).scaled(scope, given.share("Alpha"))


def of_matt(given: Inputs) -> Told:
    """Return what is said by a BSDF that scatters evenly."""
    return scattering(given.scope, given.colour("Color"), roughness=1.0)


def of_rough(given: Inputs) -> Told:
    """Return what is said by a BSDF that scatters, with a roughness."""
    return scattering(given.scope, given.colour("Color"), roughness=given.share("Roughness"))


def of_glossy(given: Inputs) -> Told:
    """Return what a Glossy BSDF says: it mirrors in its colour, as metal does."""
    return scattering(
        given.scope, given.colour("Color"), roughness=given.share("Roughness"), metallic=1.0
    )


def of_metallic(given: Inputs) -> Told:
    """Return what a Metallic BSDF says: the colour of its face."""
    if given.node.fresnel_type == "PHYSICAL_CONDUCTOR":
        base = faced(given.scope, given.colour("IOR"), given.colour("Extinction"))
    else:
        base = given.colour("Base Color")
    return scattering(given.scope, base, roughness=given.share("Roughness"), metallic=1.0)


def faced(scope: Scope, index: Level, extinction: Level) -> Level:
    """Return what metal reflects straight back: ((n - 1)² + k²) / ((n + 1)² + k²)."""
    one, two = (
        summed(scope, squared(scope, summed(scope, index, shift)), squared(scope, extinction))
        for shift in ((-1.0, -1.0, -1.0), WHOLE)
    )
    return combined(scope, "DIVIDE", one, two)


def squared(scope: Scope, vector: Level) -> Level:
    """Return a vector times itself, by part."""
    return combined(scope, "MULTIPLY", vector, vector)


def combined(scope: Scope, operation: str, one: Level, other: Level) -> Level:
    """Return two vectors combined by part."""
    node = scope.add("ShaderNodeVectorMath", operation=operation)
    scope.feed(node.inputs[0], one)
    scope.feed(node.inputs[1], other)
    return node.outputs[0]


def of_glass(given: Inputs) -> Told:
    """Return what is said by a BSDF that lets light through by refraction."""
    return scattering(
        given.scope, given.colour("Color"), roughness=given.share("Roughness"), transmission=1.0
    )


def of_toon(given: Inputs) -> Told:
    """Return what a Toon BSDF says, which has no roughness."""
    metallic = float(given.node.component == "GLOSSY")
    return scattering(given.scope, given.colour("Color"), roughness=None, metallic=metallic)


def of_hair(given: Inputs) -> Told:
    """Return what a Hair BSDF says."""
    return scattering(given.scope, given.colour("Color"), roughness=given.share("RoughnessU"))


def of_principled_hair(given: Inputs) -> Told:
    """Return what a Principled Hair BSDF says, which may have pigments in place of a colour."""
    if given.node.parametrization == "COLOR":
        return of_rough(given)
    finish = joined(given.scope, given.share("Roughness"), 0.0, 0.0)
    return Told(finish=finish, shares=(0.0, 1.0, 0.0))


def of_emission(given: Inputs) -> Told:
    """Return what is said by what only shines."""
    return shining(given.scope, given.colour("Color"), given.number("Strength"))


SHADERS: dict[str, Callable[[Inputs], Told]] = {
    "ShaderNodeBsdfPrincipled": of_principled,
    "ShaderNodeBsdfDiffuse": of_matt,
    "ShaderNodeBsdfTranslucent": of_matt,
    "ShaderNodeSubsurfaceScattering": of_rough,
    "ShaderNodeBsdfSheen": of_rough,
    "ShaderNodeBsdfAnisotropic": of_glossy,
    "ShaderNodeBsdfMetallic": of_metallic,
    "ShaderNodeBsdfGlass": of_glass,
    "ShaderNodeBsdfRefraction": of_glass,
    "ShaderNodeBsdfToon": of_toon,
    "ShaderNodeBsdfHair": of_hair,
    "ShaderNodeBsdfHairPrincipled": of_principled_hair,
    "ShaderNodeEmission": of_emission,
    "ShaderNodeBackground": of_emission,
}
"""By kind of node; others say nothing: what is clear, held out, a volume, a portal, EEVEE's alone.
"""


def of_mix(reader: Reader, scope: Scope, output: Socket) -> Told:
    """Return what a Mix Shader says: the mean, by its factor."""
    factor, one, other = output.node.inputs
    if (unlit := unlit_colour(scope, output.node)) is not None:
        return Told(base=unlit, light=unlit, shares=(1.0, 0.0, 0.0))
    share = value_of(scope, factor)
    if not is_socket(share):
        share = held(scope, number_of(share))
        if share in (0.0, 1.0):
            return reader.read(scope, other if share else one)
    pairs = zip(reader.read(scope, one).parts, reader.read(scope, other).parts, strict=True)
    return Told(*(mixed(scope, share, *pair) for pair in pairs))


def unlit_colour(scope: Scope, mix: Any) -> Level | None:
    """Return the colour of what shines for cameras alone, as importers write unlit materials."""
    factor, clear, light = (source(socket) for socket in mix.inputs)
    if factor is None or clear is None or light is None or factor.name != "Is Camera Ray":
        return None
    kinds = clear.node.bl_idname, light.node.bl_idname
    if kinds != ("ShaderNodeBsdfTransparent", "ShaderNodeEmission"):
        return None
    return Inputs(scope, light.node).colour("Color")


def of_sum(reader: Reader, scope: Scope, output: Socket) -> Told:
    """Return what an Add Shader says."""
    one, other = (reader.read(scope, shader).parts for shader in output.node.inputs)
    return Told(*(summed(scope, *pair) for pair in zip(one, other, strict=True)))


def of_switch(reader: Reader, scope: Scope, output: Socket) -> Told:
    """Return what a Menu Switch says, whose choice is known."""
    menu, *shaders = output.node.inputs
    choice = value_of(scope, menu)
    for item, shader in zip(output.node.enum_items, shaders, strict=False):
        if item.name == choice and output.type == "SHADER":
            return reader.read(scope, shader)
    raise UndecidedError(output.node.bl_idname)


def of_group(reader: Reader, scope: Scope, output: Socket) -> Told:
    """Return what a group says, told by a copy of it with outputs more."""
    group = output.node
    if group.node_tree is None:
        return Told()
    inner = Scope(group.node_tree.copy(), group, scope)
    ends = [node for node in inner.tree.nodes if node.bl_idname == "NodeGroupOutput"]
    end: Any = next((node for node in ends if node.is_active_output), None)
    shader = twin_of(output, end.inputs) if end is not None else None
    if shader is None:
        return Told()
    said = reader.read(inner, shader)
    told = {
        name: offered(inner, end, name, part)
        for name, part in zip(NAMES, said.parts, strict=True)
        if is_socket(part)
    }
    if not told:
        return said
    copy = scope.add(group.bl_idname, node_tree=inner.tree)
    for socket, value in inputs_of(group, copy, inner):
        scope.feed(socket, value)
    return Told(
        **dict(zip(NAMES, said.parts, strict=True))
        | {name: twin_of(socket, copy.outputs) for name, socket in told.items()}
    )


def offered(inner: Scope, end: Any, name: str, level: Socket) -> Any:
    """Give a group one more output for a value that is told inside of it."""
    told = inner.tree.interface.new_socket(name, in_out="OUTPUT", socket_type=VECTOR)
    inner.tree.links.new(level, twin_of(told, end.inputs))
    return told


def of_input(reader: Reader, scope: Scope, output: Socket) -> Told:
    """Return what is said by a shader that is handed into a group."""
    outer = twin_of(output, scope.group.inputs) if scope.around is not None else None
    if scope.around is None or outer is None:
        return Told()
    if output.type != "SHADER":
        return shining(scope, as_colour(value_of_output(scope, output)), 1.0)
    node, said = output.node, reader.read(scope.around, outer)
    return Told(*(handed(scope, node, part) for part in said.parts))


def handed(scope: Scope, node: Any, level: Level) -> Level:
    """Return a value of outside as it is told within a group, which gets one input more for it."""
    if not is_socket(level):
        return level
    told = scope.tree.interface.new_socket("told", in_out="INPUT", socket_type=VECTOR)
    scope.handed[told.identifier] = level
    return twin_of(told, node.outputs)


JOINTS: dict[str, Callable[[Reader, Scope, Socket], Told]] = {
    "ShaderNodeMixShader": of_mix,
    "ShaderNodeAddShader": of_sum,
    "ShaderNodeGroup": of_group,
    "GeometryNodeMenuSwitch": of_switch,
    "NodeGroupInput": of_input,
}
"""By kind of node: what leads on to other shaders."""
