"""The one place where what ends a command becomes a sentence or an exit code."""

import pytest
from pydantic import BaseModel, field_serializer

from farm.cli import main as door


class Interrupted(BaseModel):
    number: int = 1

    @field_serializer("number")
    def _in_the_midst(self, _number):
        raise KeyboardInterrupt


class Faulty(Interrupted):
    @field_serializer("number")
    def _in_the_midst(self, _number):
        raise TypeError("a bug")


@pytest.mark.parametrize("write", ["model_dump", "model_dump_json"])
def test_ctrl_c_is_known_in_what_pydantic_makes_of_it(monkeypatch, write):
    monkeypatch.setattr(door, "run", lambda _arguments: getattr(Interrupted(), write)())

    with pytest.raises(SystemExit) as ended:
        door.main()
    assert ended.value.code == 130


def test_a_bug_keeps_its_traceback(monkeypatch):
    monkeypatch.setattr(door, "run", lambda _arguments: Faulty().model_dump_json())

    with pytest.raises(Exception, match="a bug"):
        door.main()
