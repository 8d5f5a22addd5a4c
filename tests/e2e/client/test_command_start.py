"""How `pixy` and `pixy-grpc` start: interrupted, and without what they need."""

import subprocess
import sys
from importlib.metadata import version

import pytest

from tests.e2e.client.stand_in import WAIT_SECONDS


def _python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS * 2,
        check=False,
    )


_INTERRUPT_AT_IMPORT = """
import os, signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
from {package} import main
main()
"""


@pytest.mark.parametrize(
    ("package", "module"),
    [
        ("pixy_client.cli", "typer"),
        ("pixy_client.cli", "pydantic"),
        ("pixy_client.cli", "grpc"),
        ("pixy_grpc.cli", "typer"),
        ("pixy_grpc.cli", "pixy_grpc.app"),
    ],
)
def test_command_interrupted_while_it_starts_is_quiet(package: str, module: str) -> None:
    """Imports take most of a second, and a traceback tells nobody anything."""
    finished = _python(_INTERRUPT_AT_IMPORT.format(package=package, module=module))

    assert (finished.returncode, finished.stdout, finished.stderr) == (130, "", "")


def test_command_whose_interrupts_are_ignored_goes_on() -> None:
    """As a shell has it for what runs in the background."""
    code = _INTERRUPT_AT_IMPORT.format(package="pixy_client.cli", module="typer")
    ignoring = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"

    finished = _python(f"{ignoring}{code}")

    assert "Usage:" in finished.stdout + finished.stderr


def test_import_of_the_client_needs_no_extra() -> None:
    """Who wants the client alone does without the command's dependencies."""
    extras = "{'typer', 'rich', 'openai', 'pymysql', 'pydantic_settings'}"

    finished = _python(
        f"import sys, pixy_client; print(pixy_client.Client.__name__, {extras} & set(sys.modules))"
    )

    assert finished.stdout == "Client set()\n"


@pytest.mark.parametrize(
    ("program", "package"), [("pixy", "pixy_client"), ("pixy-grpc", "pixy_grpc")]
)
def test_version_is_printed_before_anything_is_imported(program: str, package: str) -> None:
    """At once, and without the extra: it is what is asked for where something is missing."""
    finished = _python(
        "import sys; sys.modules['typer'] = None; sys.argv[1:] = ['--version']; "
        f"from {package}.cli import main; main(); print('grpc' in sys.modules)"
    )

    assert finished.stdout == f"{program} {version('pixy-grpc')}\nFalse\n"


@pytest.mark.parametrize(
    ("program", "package", "missing", "extra"),
    [
        ("pixy", "pixy_client", "typer", "cli"),
        ("pixy", "pixy_client", "rich", "cli"),
        ("pixy-grpc", "pixy_grpc", "typer", "server"),
        ("pixy-grpc", "pixy_grpc", "pymysql", "server"),
        ("pixy-grpc", "pixy_grpc", "dbutils", "server"),
        ("pixy-grpc", "pixy_grpc", "grpc_health", "server"),
        ("pixy-grpc", "pixy_grpc", "PIL", "server"),
        ("pixy-grpc", "pixy_grpc", "pydantic_settings", "server"),
    ],
)
def test_command_without_its_extra_says_what_to_install(
    program: str, package: str, missing: str, extra: str
) -> None:
    """One line, no traceback: `pip install .` alone has both commands."""
    finished = _python(
        f"import sys; sys.modules[{missing!r}] = None; from {package}.cli import main; main()"
    )

    assert finished.returncode == 2
    assert finished.stderr == (
        f"{program}: the command needs an extra: pip install 'pixy-grpc[{extra}]'\n"
    )


def test_command_with_a_broken_install_does_not_blame_the_extra() -> None:
    """Another missing module is shown as what it is."""
    finished = _python(
        "import sys; sys.modules['pydantic'] = None; from pixy_client.cli import main; main()"
    )

    assert "ModuleNotFoundError" in finished.stderr
