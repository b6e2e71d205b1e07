"""Names of the custom properties by which baked data is found again."""

LINE = "mouthpiece_line"
PROVENANCE = "mouthpiece_provenance"
ACTOR = "mouthpiece_actor"
AUDIO_DIGEST = "mouthpiece_audio_sha256"
