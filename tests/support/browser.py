"""A headless Chromium, driven by the WebDriver protocol of `chromedriver` over HTTP."""

import base64
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
ABSENT = "" if CHROMIUM and DRIVER else "needs chromium and chromedriver"
PATIENCE = 60.0


class Browser:
    """One window.

    Args:
        width: Of the page in pixels; below 500 a telephone is imitated.
        height: Of the page.
        dark: Whether pages are asked for their dark colours.
    """

    def __init__(self, width: int = 1400, height: int = 900, dark: bool = False) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.driver = subprocess.Popen([str(DRIVER), f"--port={port}", "--silent"], stdout=subprocess.DEVNULL)
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE)
        self._wait_for_driver()
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                     f"--window-size={width},{height}"]  # fmt: skip
        options: dict[str, Any] = {"binary": CHROMIUM, "args": arguments}
        if dark:
            arguments.append("--force-dark-mode")
            arguments.append("--blink-settings=preferredColorScheme=0")
        if width < 500:
            options["mobileEmulation"] = {"deviceMetrics": {"width": width, "height": height, "pixelRatio": 2.0}}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        found = self._send("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self.session = f"/session/{found['sessionId']}"

    def _wait_for_driver(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                if self.client.get("/status").json()["value"]["ready"]:
                    return
            except httpx.HTTPError:
                time.sleep(0.05)
        raise TimeoutError("chromedriver does not start")

    def _send(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self.client.request(method, path, json=body) if body is not None else self.client.request(method, path)
        value = answer.json()["value"]
        if answer.status_code >= 400:
            raise RuntimeError(f"{value['error']}: {value['message'][:300]}")
        return value

    def open(self, address: str) -> None:
        """Go to a page."""
        self._send("POST", f"{self.session}/url", {"url": address})

    def run(self, script: str, *arguments: Any) -> Any:
        """Run JavaScript, and return what it returns."""
        return self._send("POST", f"{self.session}/execute/sync", {"script": script, "args": list(arguments)})

    def find(self, selector: str) -> str:
        """Return an element."""
        found = self._send("POST", f"{self.session}/element", {"using": "css selector", "value": selector})
        return found[ELEMENT]

    def click(self, selector: str) -> None:
        """Click on an element, as a mouse would."""
        self._send("POST", f"{self.session}/element/{self.find(selector)}/click", {})

    def write(self, selector: str, text: str) -> None:
        """Write into a field; the name of a file into an upload."""
        self._send("POST", f"{self.session}/element/{self.find(selector)}/value", {"text": text})

    def enter(self, place: str | None) -> None:
        """Go into the frame of this selector, or back to the page."""
        target = None if place is None else {ELEMENT: self.find(place)}
        self._send("POST", f"{self.session}/frame", {"id": target})

    def wait(self, script: str, *arguments: Any) -> Any:
        """Wait until an expression is true, and return it."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if found := self.run(f"return {script}", *arguments):
                return found
            time.sleep(0.05)
        raise TimeoutError(f"not true within {PATIENCE:.0f} s: {script}")

    def picture(self, file: Path) -> None:
        """Write what the window shows as PNG."""
        file.write_bytes(base64.b64decode(self._send("GET", f"{self.session}/screenshot")))

    def problems(self) -> list[str]:
        """Return what the browser has reported: errors of scripts, and what the page's policy has refused."""
        return [entry["message"] for entry in self._send("POST", f"{self.session}/se/log", {"type": "browser"})]

    def close(self) -> None:
        """End the browser."""
        try:
            self._send("DELETE", self.session)
        finally:
            self.client.close()
            self.driver.terminate()
            self.driver.wait()
