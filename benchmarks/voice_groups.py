"""Groups of made voices that training did not hear, and what they say: men, women, children, further languages.

espeak-ng knows when each phoneme is spoken, so that contacts can be judged without aligning anything. The variants m3,
m7 and f2 are left out of the voice model's training (backend/training/voice/synthetic.py), and so are the languages
and sentences here.
"""

from collections.abc import Iterator

import numpy as np

from backend.speech import espeak
from backend.speech.phones import Phone

ENGLISH = (
    "My mother bought a big brown bear from Bombay in November.",
    "Papa may be home by noon, but maybe the boat is late.",
    "We rowed a small wooden boat around the old mill.",
    "Please bring me the map and a cup of warm apple tea.",
    "Five brave women moved the heavy bamboo table upstairs.",
    "Who would believe that the moon could be so bright?",
)
OTHERS = {
    "cs": "Máma a babička pomalu balily bílé boty. Petr potom umyl mapu a pil vodu.",
    "hu": "A mama ma piros almát vett a boltban. Péter és Mihály a barátommal beszélt a parkban.",
    "ro": "Mama a cumpărat pâine bună și mere. Prietenul meu locuiește aproape de bibliotecă.",
    "da": "Min bedstemor bagte boller på mandag. Peter købte en blå bil i byen om morgenen.",
    "ca": "La meva mare va comprar pomes i pa blanc. Potser plourà molt abans de migdia.",
}


GROUPS = {
    "men": (("en-us+m3", "en-gb-x-rp+m7"), 45),
    "women": (("en-us+f2", "en-gb-x-rp+f2"), 60),
    "children": (("en-us+f2", "en-gb-scotland+f2"), 99),
}
"""espeak-ng's names of voices, and their pitch from 0 to 100."""


def spoken_by_groups() -> Iterator[tuple[str, list[tuple[np.ndarray, list[Phone]]]]]:
    """Each group's name with its recordings (n,) float32 at 16 kHz and their phonemes. Raises EnvironmentProblem."""
    for name, (voices, pitch) in GROUPS.items():
        spoken = [espeak.speak(text, voice, pitch=pitch) for voice in voices for text in ENGLISH]
        yield name, [(row.samples, row.phones) for row in spoken]
    further = [espeak.speak(text, f"{language}+{kind}") for language, text in OTHERS.items() for kind in ("m3", "f2")]
    yield "further_languages", [(row.samples, row.phones) for row in further]
