"""Which files beside a script come along with it."""

from farm.library import hash_file
from farm.library.dependencies.imports import modules_beside


def found(script):
    return [file.path for file in modules_beside(script, hash_file)]


def test_modules_and_packages_of_ones_own_come_along_with_what_they_import(tmp_path):
    (tmp_path / "shapes").mkdir()
    for name, text in {
        "main.py": "import numpy, helper\nfrom shapes import boxes\nfrom shapes.balls import ball\n"
        "def frame():\n    import late\n",
        "helper.py": "import deep, main\n",
        "deep.py": "import helper\n",
        "late.py": "",
        "other.py": "",
        "shapes/__init__.py": "from . import common\n",
        "shapes/boxes.py": "from .common import corner\nfrom .. import outside\n",
        "shapes/balls.py": "",
        "shapes/common.py": "",
        "shapes/unused.py": "",
    }.items():
        (tmp_path / name).write_text(text)

    assert found(tmp_path / "main.py") == [
        "deep.py", "helper.py", "late.py", "shapes/__init__.py", "shapes/balls.py",
        "shapes/boxes.py", "shapes/common.py",
    ]  # fmt: skip
    [deep, *_] = modules_beside(tmp_path / "main.py", hash_file)
    assert (deep.sha256, deep.size_bytes) == (hash_file(tmp_path / "deep.py"), 14)


def test_what_is_not_python_brings_nothing(tmp_path):
    (tmp_path / "main.py").write_bytes(b"import helper\n\0")
    (tmp_path / "helper.py").write_text("")

    assert found(tmp_path / "main.py") == []
