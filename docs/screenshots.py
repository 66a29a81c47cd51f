"""
Takes the pictures of Airflow's page that the documentation shows, with ``airflow-css demo --ui``.

Run it from the checkout, with the extra ``screenshots`` and a Chromium of the system::

    python docs/screenshots.py
"""

from __future__ import annotations

import io
import json
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SIZE = {"width": 1440, "height": 760}
SETTLING_MILLISECONDS = 2000
# Where the page keeps how wide its grid is; as it comes, the third run is out of sight.
PANELS = "react-resizable-panels:grid-ltr"
PANELS_BORDER = 0.298
WIDE_GRID = {"details-panel,main-panel": {"expandToSizes": {}, "layout": [25, 75]}}
COLOURS = 256
PATIENCE_SECONDS = 180.0
LAST_LINE = "Ctrl-C stops everything.\n"
RUNS = "/api/v2/dags/pre_etl_backup/dagRuns"


class Demo:
    """
    The running demo, as its user and its REST API see it.

    :param screen: What the command has printed.
    """

    def __init__(self, screen: str) -> None:
        self._facts = dict(re.findall(r"^  (Page|User|Password) +(\S+)$", screen, re.MULTILINE))
        self.url, self.user, self.password = (self._facts[name] for name in ("Page", "User", "Password"))
        self._token = ""

    def log_in(self) -> None:
        """Get a token for the calls."""
        self._token = self._call("/auth/token", {"username": self.user, "password": self.password})["access_token"]

    def trigger(self, run_id: str) -> None:
        """Start a run."""
        self._call(RUNS, {"dag_run_id": run_id, "logical_date": None})

    def wait_for(self, run_id: str, state: str) -> None:
        """Wait until the backup of a run is in a state."""
        path = f"{RUNS}/{run_id}/taskInstances/backup"
        _wait(lambda: self._call(path)["state"] == state, f"{run_id} is not {state}")

    def wait_for_run(self, run_id: str) -> None:
        """Wait until a run has succeeded."""
        _wait(lambda: self._call(f"{RUNS}/{run_id}")["state"] == "success", f"{run_id} did not succeed")

    def _call(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"} | (
            {"Authorization": f"Bearer {self._token}"} if self._token else {}
        )
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers)  # noqa: S310 - the demo's own server
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
            return dict(json.load(answer))


def _wait(look: Callable[[], bool], complaint: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not look():
        if time.monotonic() > deadline:
            raise TimeoutError(complaint)
        time.sleep(0.3)


@contextmanager
def _demo() -> Iterator[Demo]:
    command = [sys.executable, "-m", "airflow_css.cli", "demo", "--ui"]
    with subprocess.Popen(  # noqa: S603 - this interpreter, our own command
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            # It goes on for ever; what is read ends with the line that says how to stop it.
            demo = Demo("".join(iter(partial(next, process.stdout or iter(())), LAST_LINE)))
            demo.log_in()
            yield demo
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate()


def main() -> None:
    """Take all pictures anew."""
    IMAGES.mkdir(exist_ok=True)
    executable = next(filter(None, map(shutil.which, BROWSERS)))
    with _demo() as demo, sync_playwright() as tool:
        # Two runs before, so that the third knows how long a snapshot usually takes.
        for run_id in ("monday", "tuesday"):
            demo.trigger(run_id)
            demo.wait_for_run(run_id)
        browser = tool.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        page = _open(browser, demo)
        demo.trigger("wednesday")
        demo.wait_for("wednesday", "deferred")
        _take_grid(page, demo)
        demo.wait_for_run("wednesday")
        _take_log(page, demo)
        _take_form(page, demo)
        browser.close()


def _open(browser: Browser, demo: Demo) -> Page:
    page = browser.new_page(viewport=SIZE, locale="en-GB", timezone_id="UTC", color_scheme="light")
    page.set_default_timeout(PATIENCE_SECONDS * 1000)
    page.add_init_script(f"localStorage.setItem({json.dumps(PANELS)}, {json.dumps(json.dumps(WIDE_GRID))})")
    page.goto(demo.url)
    page.get_by_role("textbox").first.fill(demo.user)
    page.locator("input[type=password]").fill(demo.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{demo.url}/")
    return page


def _take_grid(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/dags/pre_etl_backup/runs/wednesday")
    page.get_by_text("Deferred").first.wait_for()
    _save(page, "grid", page.screenshot)


def _take_log(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/dags/pre_etl_backup/runs/wednesday/tasks/backup")
    end = page.get_by_text(re.compile(r"COMPLETED, \d+ s of about")).first
    end.wait_for()
    # The key for folding long lines.
    page.keyboard.press("w")
    page.wait_for_timeout(SETTLING_MILLISECONDS)
    # Only what this package has to do with: what follows the end is long, and Airflow's own.
    top, bottom = page.get_by_text("Rendered Templates").first.bounding_box(), end.bounding_box()
    if top is None or bottom is None:
        raise RuntimeError("the log is not to be seen")
    x = PANELS_BORDER * SIZE["width"]
    y = top["y"] - 12
    clip = {"x": x, "y": y, "width": SIZE["width"] - x, "height": bottom["y"] + bottom["height"] + 5 - y}
    _save(page, "log", partial(page.screenshot, clip=clip))


def _take_form(page: Page, demo: Demo) -> None:
    # High enough for the whole form.
    page.set_viewport_size({"width": 1000, "height": 1200})
    page.goto(f"{demo.url}/connections")
    page.get_by_role("button", name="Edit Connection").first.click()
    form = page.get_by_role("dialog")
    page.get_by_text("Access key").first.wait_for()
    _save(page, "connection", form.screenshot)
    page.get_by_text("Extra Fields", exact=True).click()
    page.get_by_text("Default cluster ID").first.wait_for()
    _save(page, "connection-extra", form.screenshot)


def _save(page: Page, name: str, take: Callable[..., bytes]) -> None:
    # What is still being fetched or unfolded would make each picture another one.
    page.wait_for_timeout(SETTLING_MILLISECONDS)
    if page.get_by_role("alert").filter(visible=True).count():
        raise RuntimeError(f"{name}: the page shows a warning: {page.get_by_role('alert').all_inner_texts()}")
    picture = Image.open(io.BytesIO(take(animations="disabled", caret="hide")))
    file = IMAGES / f"{name}.png"
    picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    print(f"{file.relative_to(ROOT)}: {file.stat().st_size // 1024} kB")  # noqa: T201 - a script speaks by printing


if __name__ == "__main__":
    main()
