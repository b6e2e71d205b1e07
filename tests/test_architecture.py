"""Who may import whom, how large files grow, and what `--help` may load."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
OURS = {"backend", "models", "shape_keys", "blender_addon"}
MEDIA = {"av", "sounddevice", "cv2", "mediapipe", "PIL", "pocketsphinx", "tqdm", "platformdirs", "safetensors"}
WEB = {"fastapi", "starlette", "uvicorn", "pydantic"}
ALLOWED = {
    "shape_keys": {"numpy", "scipy", "shape_keys"},
    "models": {"numpy", "torch", "safetensors", "models", "shape_keys"},
    "backend": {"numpy", "scipy", "torch", "backend", "models", "shape_keys"} | MEDIA | WEB,
    "blender_addon": {"numpy", "bpy", "bpy_extras", "mathutils", "bl_math", "gpu", "aud", "bl_operators"},
}
"""Top-level packages that each of ours may import besides the standard library and itself by relative imports."""
EXCEPTIONS = {
    "shape_keys/derive": {"cv2", "mediapipe", "PIL"},  # makes the data files once; nothing imports it at run time
    "blender_addon/headless.py": {"blender_addon"},  # also started by Blender as a file outside its package
}
RUNTIME = ("backend/audio", "backend/inference", "backend/animation_file.py", "backend/actor_file.py", "models")
"""What animating runs through: it must install where there is no wheel of bpy or mediapipe."""
LONGEST_FILE, LONGEST_FUNCTION = 400, 60
SLOW = {"torch", "mediapipe", "bpy", "cv2", "av", "scipy", "matplotlib", "PIL", "numpy"}


def python_files(*places: str) -> list[Path]:
    found = []
    for place in places:
        path = ROOT / place
        found += [path] if path.is_file() else sorted(path.rglob("*.py"))
    return found


def imports(path: Path) -> set[str]:
    """Top-level names of everything a file imports, at whatever depth; relative imports left out."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add(str(node.module).split(".")[0])
    return names


@pytest.mark.parametrize("package", sorted(ALLOWED))
def test_import_direction(package):
    wrong = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in python_files(package)
        for name in imports(path) - set(sys.stdlib_module_names) - ALLOWED[package] - excepted(path)
    }
    assert not wrong


def excepted(path: Path) -> set[str]:
    name = path.relative_to(ROOT).as_posix()
    return {item for place, items in EXCEPTIONS.items() if name.startswith(place) for item in items}


def test_nothing_imports_the_deriving_scripts():
    users = [path for path in python_files(*OURS) if "derive" not in path.parts]
    importing = re.compile(r"^\s*(from|import) shape_keys\.derive", re.MULTILINE)
    assert not [path for path in users if importing.search(path.read_text("utf-8"))]


def test_animating_needs_neither_blender_nor_mediapipe():
    wrong = {
        str(path.relative_to(ROOT)): names
        for path in python_files(*RUNTIME)
        if (names := imports(path) & {"bpy", "mediapipe", "cv2", "matplotlib"})
    }
    assert not wrong


def test_set_up_needs_the_standard_library_only():
    assert imports(ROOT / "build.py") - set(sys.stdlib_module_names) == {"backend"}
    assert imports(ROOT / "backend/system_libraries.py") <= set(sys.stdlib_module_names)
    assert imports(ROOT / "backend/__init__.py") == set()


def test_files_stay_short():
    files = python_files(*OURS, "tests", "benchmarks", "build.py")
    sizes = {str(path.relative_to(ROOT)): path.read_text("utf-8").count("\n") for path in files}
    assert not {name: size for name, size in sizes.items() if size > LONGEST_FILE}


def test_functions_stay_short():
    long = []
    for path in python_files(*OURS, "build.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    long.append(f"{path.relative_to(ROOT)}: {node.name} ({length} lines)")
    assert not long


def test_help_loads_no_slow_library():
    code = (
        "import sys, json\nfrom backend.__main__ import main\n"
        "try: main(['animate', '--help'])\nexcept SystemExit: print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}
    assert not loaded & SLOW
