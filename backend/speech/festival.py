"""Speech from text with festival's English voices, and the exact times of its phonemes; for training only."""

import json
import subprocess
import tempfile
from pathlib import Path

from backend.audio.decode import decode_audio
from backend.errors import EnvironmentProblem
from backend.speech.espeak import Spoken
from backend.speech.phones import Phone, from_arpabet

VOICES = ("ked_diphone", "cmu_us_slt_arctic_hts")
"""A man's joined diphones and a woman's statistical model; flite has the others of Debian's English voices."""

_COMMANDS = """
(voice_{voice})
(Parameter.set 'Duration_Stretch {stretch})
(set! spoken (utt.synth (Utterance Text {text})))
(utt.save.segs spoken "{segments}")
(utt.save.wave spoken "{sound}" 'riff)
"""


def speak(text: str, voice: str, stretch: float = 1.0) -> Spoken:
    """Speak an English text; stretch makes diphones slower (above 1) or faster, the statistical model does not heed it.

    Words' times are not given. Raises EnvironmentProblem where festival or the voice is not installed.
    """
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        sound, segments, script = (Path(folder) / name for name in ("speech.wav", "segments", "speak.scm"))
        quoted = json.dumps(text, ensure_ascii=True)
        script.write_text(
            _COMMANDS.format(voice=voice, stretch=stretch, text=quoted, segments=segments, sound=sound), "utf-8"
        )
        try:
            subprocess.run(["festival", "--batch", script], capture_output=True, check=True)
        except (FileNotFoundError, subprocess.CalledProcessError):
            raise EnvironmentProblem(
                f"festival's voice {voice} does not speak; on Debian: apt install festival festvox-kdlpc16k "
                f"festvox-us-slt-hts."
            ) from None
        samples = decode_audio(sound)
        rows = [line.split() for line in segments.read_text().splitlines() if not line.startswith("#")]
    phones, start = [], 0.0
    for end, _, name in rows:
        phones.append(Phone(start, float(end), from_arpabet(name)))
        start = float(end)
    return Spoken(samples, phones, [])
