"""DESIGN.md's paragraph on layers, enforced from the imports."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {"pixy_grpc": ROOT / "pixy_grpc", "pixy_client": ROOT / "client" / "pixy_client"}

LAYERS = {
    "pixy_grpc.core": {"pixy_grpc.core"},
    "pixy_grpc.data": {"pixy_grpc.core", "pixy_grpc.data"},
    "pixy_grpc.service": {"pixy_grpc.core", "pixy_grpc.service"},
    "pixy_grpc.web": {"pixy_grpc.core", "pixy_grpc.service", "pixy_grpc.web", "pixy_grpc.v1"},
    "pixy_grpc.v1": {"pixy_grpc.v1"},
    "pixy_client": {"pixy_grpc.core", "pixy_grpc.v1", "pixy_client"},
    "pixy_grpc": {"pixy_grpc"},  # composition: app, cli, settings, workers, logs
}
"""What of ours each layer may import; the longest name that fits is a module's layer."""

OURS = tuple(PACKAGES)

GRPC = {"pixy_grpc.web", "pixy_grpc.v1", "pixy_grpc.app", "pixy_client"}

OWNERS = {
    "grpc": GRPC,
    "grpc_status": GRPC,
    "grpc_health": GRPC,
    "grpc_reflection": GRPC,
    "google": GRPC,
    "sqlite3": {"pixy_grpc.data"},
    "pymysql": {"pixy_grpc.data"},
    "dbutils": {"pixy_grpc.data"},
    "obstore": {"pixy_grpc.data.s3"},
    "openai": {"pixy_grpc.service.generators.openai"},
    "PIL": {"pixy_grpc.service"},
    "typer": {"pixy_grpc.cli", "pixy_client.cli"},
    "rich": {"pixy_grpc.cli", "pixy_client.cli"},
    "pydantic_settings": {"pixy_grpc.settings"},
}
"""Who alone may import what is not ours."""

SERVER_ONLY = sorted({*OWNERS, "cryptography"} - {"grpc", "grpc_status", "google"})

ENVIRONMENT = {"environ", "getenv", "environb"}


@dataclass(frozen=True)
class Module:
    """A module of ours, as its source says."""

    name: str
    tree: ast.Module = field(repr=False)
    package: bool = False

    def imports(self) -> Iterator[str]:
        """Yield the full name of everything that is imported, wherever."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = self._base(node)
                yield from (f"{base}.{alias.name}" for alias in node.names)

    def _base(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        kept = parts[: len(parts) - node.level + self.package]
        return ".".join([*kept, *filter(None, [node.module])])


def module(name: str, source: str, *, package: bool = False) -> Module:
    """Return a module of that source."""
    return Module(name, ast.parse(source), package)


def modules() -> Iterator[Module]:
    """Yield every module of ours."""
    for package, folder in PACKAGES.items():
        for path in sorted(folder.rglob("*.py")):
            names = [package, *path.relative_to(folder).with_suffix("").parts]
            is_package = names[-1] == "__init__"
            name = ".".join(names[:-1] if is_package else names)
            yield module(name, path.read_text(encoding="utf-8"), package=is_package)


def within(name: str, owner: str) -> bool:
    """Tell whether a name is a module, or is inside of it."""
    return name == owner or name.startswith(owner + ".")


def layer_of(name: str) -> str:
    """Return the layer of a module of ours."""
    return max((layer for layer in LAYERS if within(name, layer)), key=len)


def foreign(name: str) -> set[str] | None:
    """Return who may import a name that is not ours; None where everybody may."""
    return OWNERS.get(name.partition(".")[0])


def violations(checked: Module) -> list[str]:
    """Return what a module imports and should not."""
    allowed = LAYERS[layer_of(checked.name)]
    found = []
    for name in checked.imports():
        owners = allowed if name.startswith(OURS) else foreign(name)
        if owners is not None and not any(_permits(owner, checked, name) for owner in owners):
            found.append(f"{checked.name} imports {name}")
    return found


def _permits(owner: str, checked: Module, name: str) -> bool:
    return within(name if name.startswith(OURS) else checked.name, owner)


def reads_at_import(checked: Module) -> list[str]:
    """Return where a module looks at the environment while it is imported."""
    return [
        f"{checked.name}:{node.lineno}"
        for node in _run_at_import(checked.tree)
        if (isinstance(node, ast.Attribute) and node.attr in ENVIRONMENT)
        or (isinstance(node, ast.Name) and node.id in ENVIRONMENT)
    ]


def _run_at_import(node: ast.AST) -> Iterator[ast.expr]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield child
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue  # defaults that read the environment are ruff's B008
        yield from _run_at_import(child)


def run_alone(source: str) -> str:
    """Run source in a process of its own; return what it prints."""
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", source],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def test_layers_import_what_they_may() -> None:
    """Core <- data, core <- service, core + service <- web, all <- app; and the client."""
    found = [violation for checked in modules() for violation in violations(checked)]

    assert found == []


def test_modules_read_no_environment_at_import() -> None:
    """Settings are read once, by who is asked to."""
    found = [place for checked in modules() for place in reads_at_import(checked)]

    assert found == []


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("pixy_grpc.core.models", "from pixy_grpc.service import naming"),
        ("pixy_grpc.core.ports", "import pixy_grpc.settings"),
        ("pixy_grpc.core.ports", "import grpc"),
        ("pixy_grpc.core.ports", "from google.protobuf import any_pb2"),
        ("pixy_grpc.data.folder", "from ..service import clock"),
        ("pixy_grpc.data.folder", "def f():\n    from pixy_grpc.web import rooms"),
        ("pixy_grpc.service.creation", "from pixy_grpc.data.sqlite import SqliteDatabase"),
        ("pixy_grpc.service.creation", "from pixy_grpc import app"),
        ("pixy_grpc.service.creation", "import sqlite3"),
        ("pixy_grpc.service.generators.sketch.painter", "import openai"),
        ("pixy_grpc.web.servicer", "from pixy_grpc.data import folder"),
        ("pixy_grpc.web.servicer", "import pymysql.cursors"),
        ("pixy_grpc.data.folder", "import obstore"),
        ("pixy_grpc.workers", "import grpc"),
        ("pixy_client.client", "from pixy_grpc.web import conversion"),
        ("pixy_client.client", "import pydantic_settings"),
    ],
)
def test_planted_import_is_caught(name: str, source: str) -> None:
    """The check sees what it is there for, inside functions and relative too."""
    assert len(violations(module(name, source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "import os\nHOME = os.environ['HOME']",
        "from os import getenv\nclass A:\n    home = getenv('HOME')",
        "import os\nif os.environ:\n    pass",
    ],
)
def test_planted_look_at_environment_is_caught(source: str) -> None:
    """So does the check of what is read."""
    assert len(reads_at_import(module("pixy_grpc.app", source))) == 1
    assert reads_at_import(module("pixy_grpc.app", "import os\ndef f():\n    os.environ")) == []


def test_import_starts_nothing() -> None:
    """Importing every module starts no thread and opens no socket."""
    names = [checked.name for checked in modules()]
    source = f"""
import grpc, importlib, os, threading
before = len(os.listdir("/proc/self/task"))
for name in {names!r}:
    importlib.import_module(name)
links = [os.readlink(f"/proc/self/fd/{{fd}}") for fd in os.listdir("/proc/self/fd")
         if os.path.exists(f"/proc/self/fd/{{fd}}")]
sockets = [link for link in links if link.startswith("socket:")]
print(threading.active_count(), len(os.listdir("/proc/self/task")) - before, len(sockets))
"""

    assert run_alone(source) == "1 0 0"


def test_client_imports_without_server_packages() -> None:
    """Who wants only the client installs grpcio, protobuf, pydantic and little else."""
    source = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {SERVER_ONLY!r}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Absent())
from pixy_client import Client
layers = {{".".join(name.split(".")[:2]) for name in sys.modules if name.startswith("pixy_grpc.")}}
print(*sorted(layers))
"""

    assert run_alone(source) == "pixy_grpc.core pixy_grpc.v1"
