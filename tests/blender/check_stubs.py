"""Check the add-on's calls against the newest stubs of Blender's interface; prints what Blender does not have.

    python3 -m tests.blender.check_stubs

The stubs (fake-bpy-module-latest) lie in .venvs/stubs, outside the main environment. They type `object.data` and a
material's nodes as everything that these may be, and most references as possibly None; so a name is wrong here when no
class of the stubs has it, nor the add-on itself. Standard library only.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.blender.every_blender import ROOT, find_python

CHECKER = "basedpyright"
ADDON = ROOT / "blender_addon"
RULES = {
    "reportInvalidTypeForm": False,  # properties are calls that stand where a type belongs
    "reportOptionalMemberAccess": False,
    "reportIncompatibleMethodOverride": False,
    "reportIncompatibleVariableOverride": False,
    "reportMissingModuleSource": False,  # stubs have no source
    "reportArgumentType": False,
    "reportAssignmentType": False,
}
OLDER = {
    "sequences": "strips of the sequencer before 4.5",
    "fcurves": "curves of an action before 4.4",
    "cycles": "settings of the render engine, an add-on of its own",
}
"""Names that the newest Blender no longer has or never had as stubs; the code asks for them before it uses them."""
UNKNOWN = re.compile(r'(?:Cannot (?:access|assign to|delete) attribute "(\w+)"|"(\w+)" is not a known attribute)')


def make_environment() -> Path:
    """The interpreter of an environment with the newest stubs."""
    folder = ROOT / ".venvs" / "stubs"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        subprocess.run([find_python("3.13"), "-m", "venv", str(folder)], check=True)
    pinned = re.search(rf"^{CHECKER}==.+$", (ROOT / "requirements/check.txt").read_text("utf-8"), re.MULTILINE)
    wanted = [pinned.group() if pinned else CHECKER, "numpy", "fake-bpy-module-latest"]
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", "--upgrade", *wanted], check=True)
    return python


def check(python: Path) -> list[dict]:
    """What the checker says of the add-on."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.json"
        venv = python.parents[1]
        rules = {"typeCheckingMode": "standard", "venvPath": str(venv.parent), "venv": venv.name, **RULES}
        config.write_text(json.dumps({"include": [str(ADDON)], "extraPaths": [str(ROOT)], **rules}), "utf-8")
        command = [str(python), "-m", CHECKER, "-p", str(config), "--outputjson"]
        return json.loads(subprocess.run(command, capture_output=True, text=True).stdout)["generalDiagnostics"]


def known_names(python: Path) -> set[str]:
    """Every name that a class of the stubs, or the add-on, defines."""
    folders = [*python.parents[1].glob("**/bpy-stubs"), ADDON]
    texts = (path.read_text("utf-8") for folder in folders for path in folder.rglob("*.py*") if path.suffix != ".pyc")
    return {
        name for text in texts for name in re.findall(r"(?:def |class |^\s*|Scene\.|Object\.)(\w+)\s*[:=(]", text, re.M)
    }


def is_wrong(finding: dict, known: set[str]) -> bool:
    """Whether a finding is more than the stubs' way of typing."""
    if finding["severity"] != "error":
        return False
    found = UNKNOWN.search(finding["message"])
    if found is None:
        return "is not assignable to attribute" not in finding["message"]
    name = found.group(1) or found.group(2)
    return name not in known and name not in OLDER


def main() -> int:
    """Print what is wrong; 1 where anything is."""
    python = make_environment()
    findings, known = check(python), known_names(python)
    wrong = [finding for finding in findings if is_wrong(finding, known)]
    for finding in wrong:
        line = finding["range"]["start"]["line"] + 1
        print(f"{Path(finding['file']).relative_to(ROOT)}:{line}: {finding['message']}")
    version = next(python.parents[1].glob("**/fake_bpy_module_latest-*.dist-info")).name.split("-")[1].split(".")[0]
    print(f"{len(findings)} findings against the stubs of {version}, {len(wrong)} of them names that Blender lacks")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
