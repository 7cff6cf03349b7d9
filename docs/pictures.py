"""Makes the pictures of the README anew: the HTML report of the sandbox's sample, in Chromium.

.venv/bin/python docs/pictures.py
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from migrate.sandbox.sample import sample_store
from migrate.sandbox.server import Sandbox

FOLDER = Path(__file__).parent
SIZE = {"width": 1280, "height": 900}


def main() -> None:
    """Serve the sample, report it, and take the page's top in light and its rows in dark."""
    with tempfile.TemporaryDirectory() as folder, Sandbox(sample_store()) as sandbox:
        page = Path(folder, "report.html")
        words = ["report", "ycx/RSST", "-o", str(page), "--config", "none"]
        environ = {**os.environ, **sandbox.env}
        subprocess.run([sys.executable, "-m", "migrate", *words], env=environ, check=True)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium", args=["--no-sandbox"]
            )
            for scheme, place in (("light", "body"), ("dark", "#runs")):
                context = browser.new_context(viewport=SIZE, color_scheme=scheme)
                tab = context.new_page()
                tab.goto(page.as_uri())
                tab.eval_on_selector(place, "place => place.scrollIntoView()")
                tab.screenshot(path=FOLDER / f"report-{scheme}.png")
            browser.close()


if __name__ == "__main__":
    main()
