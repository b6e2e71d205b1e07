"""Speech from text with flite's English voices, and the exact times of its phonemes; for training only."""

import subprocess
import tempfile
from pathlib import Path

from backend.audio.decode import decode_audio
from backend.errors import EnvironmentProblem
from backend.speech.espeak import Spoken
from backend.speech.phones import Phone, from_arpabet

VOICES = ("kal16", "awb", "rms", "slt")


def speak(text: str, voice: str, stretch: float = 1.0) -> Spoken:
    """Speak an English text; stretch makes it slower (above 1) or faster. Words' times are not given.

    Raises EnvironmentProblem where flite is not installed.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        sound = Path(folder) / "speech.wav"
        command = ["flite", "-voice", voice, "--setf", f"duration_stretch={stretch}", "-psdur", "-t", text]
        try:
            done = subprocess.run([*command, "-o", str(sound)], capture_output=True, text=True, check=True)
        except FileNotFoundError:
            raise EnvironmentProblem("flite is not installed; on Debian: apt install flite.") from None
        samples = decode_audio(sound)
    phones, start = [], 0.0
    for entry in done.stdout.split():
        name, end = entry.rsplit(":", 1)
        phones.append(Phone(start, float(end), from_arpabet(name)))
        start = float(end)
    return Spoken(samples, phones, [])
