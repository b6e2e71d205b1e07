"""What the README says stays true: its commands, its tree, its pictures."""

import re
from pathlib import Path

import pytest

import build
from backend.__main__ import VERBS

ROOT = Path(__file__).resolve().parents[1]
PAGES = [Path("README.md"), *(path.relative_to(ROOT) for path in sorted((ROOT / "docs").rglob("*.md")))]
README = (ROOT / "README.md").read_text("utf-8")


def test_build_commands_exist():
    named = set(re.findall(r"build\.py (\w+)", README))
    assert {"demo", "test"} <= named <= set(build.VERBS)


def test_mouthpiece_verbs_exist():
    named = set(re.findall(r"(?:^|`)mouthpiece (\w+)", README, re.MULTILINE))
    assert named <= set(VERBS)
    assert "animate" in named


def test_continuous_integration_runs_the_same_test_command():
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    assert "python3 build.py test" in script
    assert "python3 build.py test" in README


def test_the_tree_matches_the_folders():
    block = README.split("<!-- tree -->")[1]
    named = re.findall(r"^    ([\w.]+/?) ", block, re.MULTILINE)
    assert {"backend/", "models/", "shape_keys/", "blender_addon/", "tests/", "benchmarks/", "docs/"} <= set(named)
    assert not [name for name in named if not (ROOT / name).exists()]
    inner = re.findall(r"^      ([\w.]+/?) ", block, re.MULTILINE)
    assert not [name for name in inner if not (ROOT / "backend" / name).exists()]


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_pictures_and_links_lead_somewhere(page):
    text = (ROOT / page).read_text("utf-8")
    links = [link.split("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    assert not [link for link in links if link and not (ROOT / page).parent.joinpath(link).exists()]
