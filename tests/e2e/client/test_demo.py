"""`make demo`: whatever a shell is set up for is none of its business."""

import os
import subprocess
import sys
from pathlib import Path

DEMO = Path(__file__).parents[3] / "client" / "demo.py"


def test_demo_uses_nothing_of_the_shell(tmp_path: Path) -> None:
    """It writes into a folder of its own, not where PIXY_DATABASE_URL and PIXY_IMAGES say."""
    shell = {
        "PIXY_DATABASE_URL": f"sqlite:///{tmp_path}/real.db",
        "PIXY_IMAGES": f"{tmp_path}/images",
        "PIXY_TOKENS": "nonsense",
        "PIXY_GENERATOR": "openai",
    }

    finished = subprocess.run(
        [sys.executable, DEMO],
        env=os.environ | shell,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )

    assert finished.returncode == 0, finished.stderr
    assert "exit code 0" in finished.stdout
    assert list(tmp_path.iterdir()) == []
