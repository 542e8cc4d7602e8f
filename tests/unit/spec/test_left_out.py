"""What descriptions leave out when they are written."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import partial
from types import BuiltinFunctionType

import pytest
from pydantic.fields import FieldInfo

import farm.dataset.records.collect
import farm.dataset.splits.split
import farm.spec
from farm.spec.base import Spec

for found in pkgutil.walk_packages(farm.spec.__path__, "farm.spec."):
    importlib.import_module(found.name)


def all_kinds(kind: type[Spec]) -> Iterator[type[Spec]]:
    for below in kind.__subclasses__():
        yield below
        yield from all_kinds(below)


FIELDS = {
    f"{kind.__name__}.{name}": field
    for kind in all_kinds(Spec)
    for name, field in kind.model_fields.items()
    if field.exclude_if is not None
}


@pytest.fixture(params=FIELDS.values(), ids=FIELDS.keys())
def field(request) -> FieldInfo:
    return request.param


def test_ctrl_c_cannot_come_while_it_is_decided_what_is_left_out(field):
    """`KeyboardInterrupt` is raised in code of Python's own; pydantic would hide it in an error."""
    rule = field.exclude_if
    assert isinstance(rule.func if isinstance(rule, partial) else rule, BuiltinFunctionType)


def test_what_is_left_out_is_read_as_it_was(field):
    usual = field.get_default(call_default_factory=True)

    assert field.exclude_if(usual) is True
    assert field.exclude_if("something") is False
