"""Recognise the shape keys of a character by name, in any case, prefix and side style; needs no Blender."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

from .errors import MappingError
from .rig_map import DIRECTIONS, SIDES, RigMap, load_map, map_names

AUTOMATIC = "auto"
SHORT = {"Left": "l", "Right": "r"}
_COPY = re.compile(r"\.\d{3}$")  # Blender's ending of a second thing of the same name
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


@dataclass(frozen=True)
class CharacterMap:
    """Which shape keys of a character will be driven by what, and which not."""

    rig_map: RigMap
    driven: dict[str, dict[str, str]]
    """Mesh to {shape key: target}; a mesh without a key that is driven is left out."""
    unmatched: dict[str, tuple[str, ...]]
    """Mesh to its shape keys that stay as they are."""
    missing: tuple[str, ...]
    """Targets of the map that no mesh has."""

    @property
    def targets(self) -> tuple[str, ...]:
        """Every target that drives something, without repetitions."""
        return tuple(dict.fromkeys(target for keys in self.driven.values() for target in keys.values()))

    def check(self) -> None:
        """Raises MappingError where a bake would drive nothing."""
        if self.driven:
            return
        names = [key for keys in self.unmatched.values() for key in keys]
        raise MappingError(
            f"None of the {len(names)} shape keys ({', '.join(names[:3])}...) has a name that is known; "
            "name them as ARKit or Oculus do, or say what they are: by corrections in the panel, or by a map (--map)."
            if names
            else "None of the meshes has shape keys; the character's head must be among them."
        )

    def summary(self) -> str:
        """One phrase for people."""
        keys = len({key for pairs in self.driven.values() for key in pairs})
        left = len({key for rest in self.unmatched.values() for key in rest})
        return f"{keys} shape keys recognised ({self.rig_map.title}), {left} not"


def map_character(
    meshes: Mapping[str, Sequence[str]], map_name: str = AUTOMATIC, corrections: Sequence[tuple[str, str]] = ()
) -> CharacterMap:
    """Recognise the shape keys of a character's meshes; nothing is baked.

    meshes: mesh to the names of its shape keys without the basis. map_name: a rig map, or "auto" for the one that fits
    best. corrections: (target, shape key) pairs that replace what was recognised on the meshes that have the key; an
    empty shape key switches the target off on all. Halves and sides of a target go with it. Raises MappingError where a
    correction names something that does not exist.
    """
    keys_of = {mesh: tuple(keys) for mesh, keys in meshes.items()}
    rig_map = _best_map(keys_of) if map_name == AUTOMATIC else load_map(map_name)
    rows = [(target, key) for target, keys in rig_map.keys.items() for key in keys]
    _check_corrections([*rows, *corrections], rig_map, {key for keys in keys_of.values() for key in keys})
    driven, unmatched = {}, {}
    for mesh, keys in keys_of.items():
        found = _correct(_follow_rows(recognise(keys, rig_map), keys, rows), keys, corrections, rig_map)
        if found:
            driven[mesh] = found
        unmatched[mesh] = tuple(key for key in keys if key not in found)
    reached = {part for found in driven.values() for target in found.values() for part in _covers(target, rig_map)}
    missing = tuple(target for target in rig_map.targets() if target not in reached)
    return CharacterMap(rig_map, driven, unmatched, missing)


@lru_cache(maxsize=64)
def recognise(keys: tuple[str, ...], rig_map: RigMap) -> dict[str, str]:
    """Shape key to target for one mesh; each target once, the best name first.

    A split shape (browInnerUp_L and _R) is driven in halves where the whole is missing, and a shape of both sides
    (eyeBlink) drives where neither side has a key of its own.
    """
    names = _spellings(rig_map)
    starts = _common_start(keys)
    candidates = [(target, key) for key in keys if (target := _find(key, names, starts)) is not None]
    candidates.sort(key=lambda pair: (pair[0] != pair[1], len(pair[1])))
    best: dict[str, str] = {}
    for target, key in candidates:
        best.setdefault(target, key)
    for target in list(best):
        whole = next((name for name in rig_map.split if target in rig_map.halves(name)), None)
        if whole in best or (target in rig_map.merged() and any(target + side in best for side in SIDES)):
            del best[target]
    chosen = {key: target for target, key in best.items()}
    return {key: chosen[key] for key in keys if key in chosen}


def _best_map(keys_of: Mapping[str, tuple[str, ...]]) -> RigMap:
    """The map whose mouth shapes the character has most of; ARKit where two have as many."""
    every = tuple(dict.fromkeys(key for keys in keys_of.values() for key in keys))

    def mouth_shapes(name: str) -> int:
        rig_map = load_map(name)
        found = recognise(every, rig_map).values()
        return sum(target in rig_map.poses or target.startswith(("jaw", "mouth", "tongue")) for target in found)

    return load_map(max(map_names(), key=lambda name: (mouth_shapes(name), name == "arkit")))


def _check_corrections(pairs: Sequence[tuple[str, str]], rig_map: RigMap, keys: set[str]) -> None:
    for target, key in pairs:
        if not rig_map.knows(target):
            raise MappingError(f"{target or 'An empty name'} is not in the map {rig_map.title}; correct its row.")
        if key and key not in keys:
            raise MappingError(f"The character has no shape key {key!r}; correct the row of {target}.")


def _follow_rows(found: dict[str, str], keys: tuple[str, ...], rows: Sequence[tuple[str, str]]) -> dict[str, str]:
    """What was recognised on a mesh, where the rows of a map's file say what some targets drive, and nothing else."""
    named = {target for target, _ in rows}
    result = {key: target for key, target in found.items() if target not in named}
    return result | {key: target for target, key in rows if key in keys}


def _correct(
    found: dict[str, str], keys: tuple[str, ...], corrections: Sequence[tuple[str, str]], rig_map: RigMap
) -> dict[str, str]:
    here = [(target, key) for target, key in corrections if not key or key in keys]
    replaced = {part for target, _ in here for part in (target, *rig_map.halves(target), *rig_map.sides(target))}
    result = {key: target for key, target in found.items() if target not in replaced}
    return result | {key: target for target, key in here if key}


def _covers(target: str, rig_map: RigMap) -> tuple[str, ...]:
    """The map's targets that a driven target stands for: itself, the whole of a half, both sides of a merged one."""
    return (target, *(rig_map.recipe(target) or {}))


def _spellings(rig_map: RigMap) -> dict[str, str]:
    """Squeezed spelling to target."""
    spellings = {}
    for name in rig_map.merged():
        spellings[name.lower()] = name
    for name in (*rig_map.direct, *(half for whole in rig_map.split for half in rig_map.halves(whole))):
        spellings.update(dict.fromkeys(_side_styles(name), name))
    for pose in rig_map.poses:
        for prefix in rig_map.prefixes or ("",):
            for spelling in (pose, *rig_map.aliases.get(pose, ())):
                spellings[(prefix + spelling).lower()] = pose
    return spellings


def _side_styles(name: str) -> list[str]:
    """Squeezed spellings of a name: mouthsmileleft, mouthsmilel, leftmouthsmile, lmouthsmile."""
    for side, short in SHORT.items():
        if name.endswith(side):
            base, long = name.removesuffix(side).lower(), side.lower()
            styles = [base + long, base + short]
            return styles if name in DIRECTIONS else [*styles, long + base, short + base]
    return [name.lower()]


def _squeeze(key: str) -> tuple[str, list[int]]:
    """(letters and digits in lower case, positions at which a word begins)."""
    words = _WORD.findall(_COPY.sub("", key))
    starts, position = [], 0
    for word in words:
        starts.append(position)
        position += len(word)
    return "".join(words).lower(), starts


def _common_start(keys: tuple[str, ...]) -> int:
    """Length of what all squeezed names begin with, the prefix of names that are not split into words."""
    if len(keys) < 3:
        return 0
    letters = zip(*(_squeeze(key)[0] for key in keys), strict=False)
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, letters))


def _find(key: str, spellings: Mapping[str, str], common: int) -> str | None:
    """The target whose spelling ends the key, from the earliest word on."""
    squeezed, starts = _squeeze(key)
    for start in [*starts, common]:
        if squeezed[start:] in spellings:
            return spellings[squeezed[start:]]
    return None
