"""The trained voice model as an actor: on the shipped face, without a texture."""

import datetime
from pathlib import Path
from typing import Any

from backend.actor_file import load_actor, save_actor
from backend.actor_library import SHIPPED
from backend.animation_file import new_folder
from models.presets import ModelConfig
from models.talking_face import TalkingFace

LICENCE = "CC BY 4.0"
SOURCES = """| data | what | licence |
|---|---|---|
| synthetic speech | flite 2.2 (kal16, awb, rms, slt) and espeak-ng (4 kinds of English, 16 other languages, 42 variants) speaking texts of our own (backend/training/voice/texts), with the engines' own phoneme times | flite's voices: free use of the output; espeak-ng's output carries no licence |
| GRID corpus, speakers s1 (60 clips), s2, s3, s5, s26, s31, s33 (107 clips) | sound, and the movement of the tracked vertices from each speaker's own neutral face; no picture | CC BY 4.0, Cooke, Barker, Cunningham and Shao 2006, doi:10.1121/1.2229005 |
| LJSpeech, 5 recordings with transcripts | sound and phonemes aligned with pocketsphinx | public domain |
"""  # noqa: E501


def export_voice(
    model: TalkingFace, config: ModelConfig, folder: Path, command: str, figures: dict[str, float]
) -> None:
    """Write the voice actor. figures: what was measured on voices that training did not hear."""
    face = load_actor(SHIPPED / "default")
    facts: dict[str, Any] = {
        "command": command,
        "data": "synthetic speech, GRID, LJSpeech; see MODEL_CARD.md",
        "date": datetime.date.today().isoformat(),
        "licence": LICENCE,
        "general": True,
        "metrics": figures,
    }
    with new_folder(folder, overwrite=True) as place:
        save_actor(place, "voice", model, config, face.reference, face.atlas, facts, voice_card(facts))


def voice_card(facts: dict[str, Any]) -> str:
    """Text of MODEL_CARD.md."""
    rows = "\n".join(f"| `{name}` | {value:.4g} |" for name, value in facts["metrics"].items())
    return f"""# Voice model

Moves any character's mouth from any voice: vertices relative to a neutral face and 52 ARKit blendshape weights. It has
no texture and nobody's likeness. New actors start from it. Everything it makes is synthetic.

Made with `{facts["command"]}` ({facts["date"]}).

{SOURCES}
Licence of the weights: {LICENCE}, with attribution to the GRID corpus.

## Figures on voices and clips that training did not hear

| figure | value |
|---|---|
{rows}

## Limits

The faces it learnt from spoke six-word commands, in one studio; its phonemes come from synthetic voices. Strong
accents, singing, shouting, children and noise louder than the voice move the mouth less exactly. Eyes, brows, head and
tongue do not move.
"""
