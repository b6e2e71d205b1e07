"""The trained voice model as an actor: on the shipped face, without a texture.

`python -m backend.training.voice.export ACTOR --figures FILE` writes what `benchmarks.voices --json FILE` measured into
the model's description and card.
"""

import argparse
import datetime
import json
from pathlib import Path
from typing import Any

from backend.actor_file import ACTOR_FILES, load_actor, save_actor
from backend.actor_library import SHIPPED
from backend.animation_file import new_file, new_folder
from backend.evaluation.figures import format_figure
from models.presets import ModelConfig
from models.talking_face import TalkingFace

LICENCE = "CC BY 4.0"
SOURCES = """| data | what | licence |
|---|---|---|
| synthetic speech | flite 2.2 (kal16, awb, rms, slt), festival 2.5 (ked_diphone, cmu_us_slt_arctic_hts) and espeak-ng (4 kinds of English, 16 other languages, 42 variants) speaking texts of our own (backend/training/voice/texts), with the engines' own phoneme times | flite's and festival's voices: free use of the output; espeak-ng's output carries no licence |
| GRID corpus, speakers s1 (60 clips), s2, s3, s5, s26, s31, s33 (107 clips) | sound, and the movement of the tracked vertices from each speaker's own neutral face; no picture | CC BY 4.0, Cooke, Barker, Cunningham and Shao 2006, doi:10.1121/1.2229005 |
| FACEGOOD-Audio2Face, two of three takes (Mandarin) | sound, and the recorded controls as ARKit weights (facegood.json) | MIT, FACEGOOD Digital Technology |
| LJSpeech, 10 recordings | sound and phonemes aligned with pocketsphinx | public domain |
"""  # noqa: E501

NOTICE = """FACEGOOD-Audio2Face, copyright 2021 The FACEGOOD Authors, MIT licence: permission is hereby granted, free of
charge, to any person obtaining a copy of this software and associated documentation files (the "Software"), to deal in
the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish,
distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to
do so, subject to the following conditions: the above copyright notice and this permission notice shall be included in
all copies or substantial portions of the Software. THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND,
EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY,
WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE
OR OTHER DEALINGS IN THE SOFTWARE.
"""


def export_voice(
    model: TalkingFace, config: ModelConfig, folder: Path, command: str, figures: dict[str, float]
) -> None:
    """Write the voice actor. figures: what was measured on voices that training did not hear."""
    face = load_actor(SHIPPED / "default")
    facts: dict[str, Any] = {
        "command": command,
        "data": "synthetic speech, GRID, FACEGOOD, LJSpeech; see MODEL_CARD.md",
        "date": datetime.date.today().isoformat(),
        "licence": LICENCE,
        "general": True,
        "metrics": figures,
    }
    with new_folder(folder, ACTOR_FILES, overwrite=True) as place:
        save_actor(place, "voice", model, config, face.reference, face.atlas, facts, voice_card(facts))


def voice_card(facts: dict[str, Any]) -> str:
    """Text of MODEL_CARD.md."""
    rows = "\n".join(f"| `{name}` | {format_figure(value)} |" for name, value in facts["metrics"].items())
    return f"""# Voice model

Moves any character's mouth from any voice: vertices relative to a neutral face and 52 ARKit blendshape weights. It has
no texture and nobody's likeness. New actors start from it. Everything it makes is synthetic.

Made with `{facts["command"]}` ({facts["date"]}).

{SOURCES}
Licence of the weights: {LICENCE}, with attribution to the GRID corpus.

## Figures on voices and clips that training did not hear

`strangers` are three speakers of GRID, `ljspeech` one woman reading; `men`, `women`, `children` and `further_languages`
are made voices, sentences and languages that training left out (docs/voices.md). `high_pitched` to
`quiet_40_db`: r of the lip gap with that of the unchanged recording; the last two: motion against that in speech.

| figure | value |
|---|---|
{rows}

## Limits

The faces it learnt from spoke six-word commands, in one studio; its phonemes come from synthetic voices. Strong
accents, singing, shouting, children and noise louder than the voice move the mouth less exactly. Eyes, brows, head and
tongue do not move.

## Notice

{NOTICE}"""


def write_figures(folder: Path, figures: dict[str, float]) -> None:
    """Put measured figures into a voice actor's description and card. Raises ActorError where it is none."""
    facts = load_actor(folder).description | {"metrics": figures}
    for name, text in (("actor.json", json.dumps(facts, indent=1) + "\n"), ("MODEL_CARD.md", voice_card(facts))):
        with new_file(folder / name, overwrite=True) as temporary:
            temporary.write_text(text, encoding="utf-8")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("actor", type=Path, metavar="ACTOR")
    parser.add_argument("--figures", type=Path, required=True)
    options = parser.parse_args()
    figures = json.loads(options.figures.read_text())
    write_figures(options.actor, {name: value for name, value in figures.items() if isinstance(value, float)})


if __name__ == "__main__":
    main()
