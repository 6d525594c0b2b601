"""Where the modules under test are."""

import pathlib

SOURCE = str(pathlib.Path(__file__).resolve().parents[2] / "src" / "app" / "python")
