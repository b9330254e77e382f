"""A wheel whose jobs are compiled: `HATCH_BUILD_HOOK_ENABLE_CUSTOM=true`, as `make wheel-compiled` and the image do.

mypyc turns the modules of `jobs/` into one extension; what it does costs two thirds of what the source costs
(docs/adr/0029). Everything happens in a folder of its own, so that no compiled module is ever left beside the source,
where Python would take it instead of a source that has changed. The wheel holds both; the source serves tracebacks.
"""

import ast
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_ROOM = "jobs"
_GROUP = "arrears_jobs"  # the extension's name
# Records are msgspec's: their classes are made by its own metaclass, and stay as they are.
_RECORDS = frozenset({"Struct", "Event", "Effect"})
_SETUP = """
from mypyc.build import mypycify
from setuptools import setup

modules = mypycify({arguments!r}, opt_level="3", debug_level="0", group_name={group!r})
setup(name={group!r}, packages=[], ext_modules=modules)
"""
_MYPY = """
[mypy]
python_version = {version}
follow_untyped_imports = true
[mypy-iso4217.*]
ignore_missing_imports = true
"""


class CompiledJobs(BuildHookInterface):  # type: ignore[misc]  # hatchling is there when a wheel is built, and only then
    """Adds the compiled modules to a wheel. Raises RuntimeError with the compiler's words when it does not compile."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, before the files of the wheel are collected. An editable install stays source."""
        if version != "standard":
            return
        self._folder = Path(mkdtemp(prefix="arrears-compiled-"))
        unwanted = shutil.ignore_patterns("*.so", "__pycache__")
        shutil.copytree(Path(self.root) / _ROOM, self._folder / _ROOM, ignore=unwanted)
        _compile(self._folder, modules_of(self._folder))
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        for built in sorted(self._folder.rglob("*.so")):
            if "build" not in built.relative_to(self._folder).parts:
                build_data["force_include"][str(built)] = str(built.relative_to(self._folder))

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """The wheel is written: nothing of it is kept here."""
        if version == "standard":
            shutil.rmtree(self._folder, ignore_errors=True)


def modules_of(folder: Path) -> list[str]:
    """The modules to compile: all of the room that hold behaviour, none that defines records."""
    found = sorted((folder / _ROOM).rglob("*.py"))
    return [str(path.relative_to(folder)) for path in found if path.name != "__init__.py" and not _has_records(path)]


def _has_records(path: Path) -> bool:
    classes = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.ClassDef)]
    bases = [ast.unparse(base) for one in classes for base in one.bases]
    return any(base.rpartition(".")[2] in _RECORDS for base in bases)


def _compile(folder: Path, modules: list[str]) -> None:
    (folder / "mypy.ini").write_text(_MYPY.format(version="{}.{}".format(*sys.version_info)), encoding="utf-8")
    setup = _SETUP.format(arguments=["--config-file=mypy.ini", *modules], group=_GROUP)
    (folder / "setup.py").write_text(setup, encoding="utf-8")
    command = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603  our own
    if done.returncode:
        raise RuntimeError(f"the jobs do not compile:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
