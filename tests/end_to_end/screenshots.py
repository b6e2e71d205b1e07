"""Pictures of the panel in a real window, clicked from the sound file to the finished face with the real backend.

    python -m tests.end_to_end.screenshots [--out docs/pictures]

Needs `blender` (Debian's 3.4 will do: it proves the layout), `Xvfb` and `xdotool` on the path. Fails where a click does
not do what it should. Places are in pixels of a window of 1600 x 900; where the panel has changed, look at the first
picture and move them.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "backend/samples/speech.flac"
TOOLS = ("blender", "Xvfb", "xdotool")
DISPLAY = ":78"
WINDOW = (1600, 900)
WIDTH = 1200  # of a picture of the whole window
PATIENCE = 180  # seconds for one step
TAB, SOUND, RESULT, ANIMATE, AWAY = (1307, 233), (1205, 166), (1140, 466), (1192, 403), (500, 650)
PANEL = (1070, 88, 1326, 812)
KEYS = ["jawOpen", "mouthClose", "mouthSmile_L", "mouthSmile_R", "Mouth_Pucker", "eyeBlinkLeft", "hatTilt"]
SPEAKING = 22  # a frame of the sample with the mouth open


class Window:
    """A Blender in a window of its own display, driven with mouse and keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._environment = {
            **os.environ,
            "DISPLAY": DISPLAY,
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "MOUTHPIECE_HOME": str(folder / "home"),
        }

    @contextlib.contextmanager
    def open(self) -> Iterator["Window"]:
        """Start both, wait for the first state, and end both."""
        screen = ["Xvfb", DISPLAY, "-screen", "0", f"{WINDOW[0]}x{WINDOW[1]}x24", "+extension", "GLX", "-noreset"]
        script = str(Path(__file__).with_name("in_window.py"))
        geometry = ["--window-geometry", "0", "0", *map(str, WINDOW)]
        blender = ["blender", "--factory-startup", *geometry, "--python", script, "--", str(self.folder)]
        log = self.folder / "blender.log"
        with log.open("wb") as said, subprocess.Popen(screen, stdout=said, stderr=said) as display:
            try:
                time.sleep(2)
                with subprocess.Popen(
                    blender, env=self._environment, cwd=self.folder, stdout=said, stderr=said
                ) as process:
                    try:
                        self.wait("the window", lambda state: True)
                        yield self
                    finally:
                        process.terminate()
            finally:
                display.terminate()
        if "Traceback" in (text := log.read_text("utf-8", "replace")):  # a section that fails stays empty
            raise RuntimeError(text[text.index("Traceback") :][:2000])

    @property
    def state(self) -> dict | None:
        """What the window shows; None until it is there."""
        error, path = self.folder / "error.txt", self.folder / "state.json"
        if error.exists():
            raise RuntimeError(error.read_text("utf-8"))
        return json.loads(path.read_text("utf-8")) if path.exists() else None

    def wait(self, what: str, ready: Callable[[dict], bool], patience: float = PATIENCE) -> dict:
        """The state once it is ready. Raises TimeoutError that names what did not come."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            state = self.state
            if state is not None and ready(state):
                return state
            time.sleep(0.2)
        raise TimeoutError(f"{what} did not come: {self.state}")

    def until(self, what: str, act: Callable[[], None], ready: Callable[[dict], bool]) -> None:
        """Do something until it shows: a window that is still being drawn swallows a click."""
        for _ in range(5):
            act()
            with contextlib.suppress(TimeoutError):
                self.wait(what, ready, 5)
                return
        raise TimeoutError(f"{what} did not come: {self.state}")

    def click(self, place: tuple[int, int], times: int = 1) -> None:
        """Click with the left button, and let Blender draw."""
        self._do("mousemove", *map(str, place))
        self._do("click", "--repeat", str(times), "--delay", "120", "1")

    def type(self, text: str) -> None:
        """Type into the field that was opened, and leave it."""
        self._do("type", "--delay", "40", text)
        self._do("key", "Return")

    def ask(self, **request: object) -> None:
        """Have the script inside do something, and wait until it is done."""
        path = self.folder / "request.json"
        path.with_suffix(".part").write_text(json.dumps(request), "utf-8")
        path.with_suffix(".part").replace(path)
        self.wait(str(request), lambda _: not path.exists())

    def picture(self, name: str, out: Path, part: tuple[int, int, int, int] | None = None) -> None:
        """A picture of the window or a part of it, with nothing under the mouse, small enough for documentation."""
        self._do("mousemove", *map(str, AWAY))
        time.sleep(1.5)
        self.ask(picture=name)
        image = Image.open(self.folder / name).convert("RGB")
        if part is None:
            image = image.resize((WIDTH, WIDTH * image.height // image.width), Image.Resampling.LANCZOS)
        else:
            image = image.crop(part)
        image.quantize(256).save(out / name, optimize=True)
        print(out / name, flush=True)

    def _do(self, *words: str) -> None:
        subprocess.run(["xdotool", *words], env=self._environment, check=True)
        time.sleep(0.7)


def take_pictures(window: Window, out: Path) -> None:
    """Click from the empty scene to the finished face."""
    window.until("the panel", lambda: window.click(TAB), lambda state: state["panel"])
    window.picture("blender_1_panel.png", out)

    def choose_sound() -> None:
        window.click(SOUND, times=2)
        window.type("//speech.flac")

    window.until("the sound", choose_sound, lambda state: state["sound"] == "//speech.flac")
    window.until("the section Result", lambda: window.click(RESULT), lambda state: state["result"])
    window.picture("blender_2_result.png", out, PANEL)
    window.until("the closed section", lambda: window.click(RESULT), lambda state: not state["result"])
    window.click(ANIMATE)
    window.wait("the animation's start", lambda state: state["activity"] is not None)
    window.picture("blender_3_progress.png", out, PANEL)
    done = window.wait("the animation's end", lambda state: state["activity"] and state["activity"][0])
    assert not done["activity"][1], done["activity"][2]
    assert done["meshes"]["speech"] == 468
    window.ask(frame=SPEAKING, shading="MATERIAL")
    time.sleep(40)  # shaders are compiled in software
    window.picture("blender_4_finished.png", out)
    window.ask(character=KEYS)
    window.picture("blender_5_character.png", out, PANEL)
    print(done["activity"][2])


def main() -> int:
    """Take the pictures; 1 where a tool is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs/pictures")
    options = parser.parse_args()
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        print(f"{', '.join(missing)} is missing: apt-get install blender xvfb xdotool python3-numpy", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        shutil.copyfile(SAMPLE, Path(folder) / SAMPLE.name)
        with Window(Path(folder)).open() as window:
            take_pictures(window, options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
