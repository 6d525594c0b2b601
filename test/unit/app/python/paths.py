"""Where the modules under test are."""

import pathlib

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = str(HERE.parents[3] / "src" / "app" / "python")
