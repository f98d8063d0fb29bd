"""What the documents say is what the program says."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_options_page_is_up_to_date(tmp_path):
    fresh = tmp_path / "config.md"
    subprocess.run([ROOT / "tools" / "gen-docs.sh", os.environ["HEADGATE_BIN"], fresh], check=True)
    assert fresh.read_text() == (ROOT / "docs" / "config.md").read_text(), "run tools/gen-docs.sh build/dev/headgate"
