"""The OpenAPI document against what the service answers, by schemathesis."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from backend.service.client import Client
from backend.service.routes.examples import UPLOAD
from tests.backend.service.mutations import good_video
from tests.backend.service.running import ROOT, running_service

CONFIG = """
[[operations]]
include-path-regex = "^/v1/(uploads|actors)"
# No schema says which bytes are a recording or an actor.
checks.positive_data_acceptance.enabled = false
"""


def document_with_upload(client: Client, upload: str) -> dict:
    """The service's OpenAPI document, its uploads narrowed to one that is there: or no job would be accepted."""
    document = client._json("GET", "/v1/openapi.json")
    schemas = document["components"]["schemas"]
    schemas["UploadSource"]["properties"]["upload"] = {"type": "string", "enum": [upload]}
    schemas["PathSource"] = {"not": {}}  # there is no folder whose files it may name
    text = json.dumps(document).replace(UPLOAD, upload)  # in the examples
    return json.loads(text)


def check_schema(examples: int, phases: str, quiet: bool = False) -> int:
    """Let schemathesis send what the document allows and what it does not, each route and chains of them.

    Returns its exit code; with `quiet` prints only where it is not 0.
    """
    with tempfile.TemporaryDirectory() as home, running_service(Path(home)) as service:
        document, config = Path(home) / "openapi.json", Path(home) / "schemathesis.toml"
        upload = service.client.upload(good_video(Path(home)), "video")
        document.write_text(json.dumps(document_with_upload(service.client, upload.id)))
        config.write_text(CONFIG)
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run", str(document)]
        command += [
            "--url",
            service.client.url,
            "--header",
            f"Authorization: Bearer {service.token}",
            "--max-examples",
            str(examples),
        ]
        command += ["--phases", phases, "--request-timeout", "30", "--seed", "1"]
        command += ["--exclude-path-regex", "events$", "--continue-on-failure"]
        command += ["--exclude-checks", "use_after_free"]  # DELETE cancels a job; it can still be looked at
        environment = {**os.environ, "PYTHONHASHSEED": "1"}
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=quiet, text=True)
    if quiet and done.returncode:
        print(done.stdout, done.stderr)
    return done.returncode
