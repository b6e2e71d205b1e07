"""The verbs of the `mouthpiece` command, a file each: `add_arguments(parser)` and `run(options)`.

Imported for every `--help`, so heavy libraries are imported inside `run`.
"""
