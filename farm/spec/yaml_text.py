"""YAML as a person writes it: no field twice, not deep, no larger than it looks."""

from __future__ import annotations

from typing import Any

import yaml
from yaml.composer import ComposerError
from yaml.constructor import ConstructorError

from farm.errors import SpecError
from farm.spec.quote import quoted

MAX_DEPTH = 50
MAX_NODES = 1_000_000
"""Names and values, each counted as often as `*` repeats it."""


class SpecLoader(yaml.SafeLoader):
    """Plain data from YAML; a `YAMLError` for all else."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._sizes: dict[int, int] = {}
        """Names and values in a node, by its id."""
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # a stub's gap
        is_alias = self.check_event(yaml.AliasEvent)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ComposerError(None, None, f"more than {MAX_DEPTH} levels", mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        assert node is not None
        if not is_alias:
            self._sizes[id(node)] = self._size(node)
        elif id(node) not in self._sizes:
            raise ComposerError(None, None, "a group that contains itself", mark)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: FBT001, FBT002
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError) as error:  # of dates, numbers, `!!bool x`
            kind = str(node.tag).rpartition(":")[2]
            raise ConstructorError(
                None, None, f"{quoted(node.value)} is not a valid {kind}", node.start_mark
            ) from error

    def _size(self, node: yaml.Node) -> int:
        inner = node.value if isinstance(node, yaml.CollectionNode) else []
        if isinstance(node, yaml.MappingNode):
            _check_keys(node)
            inner = [part for pair in node.value for part in pair]
        size = 1 + sum(self._sizes[id(part)] for part in inner)
        if size > MAX_NODES:
            raise ComposerError(None, None, f"more than {MAX_NODES} values", node.start_mark)
        return size


def _check_keys(node: yaml.MappingNode) -> None:
    known = set()
    for key, _ in node.value:
        name = (key.tag, key.value) if isinstance(key, yaml.ScalarNode) else id(key)
        if name in known:
            raise ComposerError(None, None, f"{quoted(key.value)} appears twice", key.start_mark)
        known.add(name)


def parse_yaml(text: str, *, name: str) -> Any:
    """Parse YAML; `name` is the file that a mistake is reported in.

    Raises:
        SpecError: Not YAML.
    """
    try:
        return yaml.load(text, SpecLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or getattr(error, "reason", "cannot be read")
        raise SpecError(f"{name}:{where} is not YAML: {problem}") from None
