"""Read a rig map (JSON) and turn ARKit weights into the weights of a character's shape keys; needs no Blender."""

import json
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from .errors import MappingError

FORMAT = 1
PLACES = (
    Path(__file__).parent / "bundle" / "shape_keys" / "rig_maps",
    Path(__file__).parents[1] / "shape_keys/rig_maps",
)
"""Where the shipped maps lie in an installed extension, and in a checkout."""
SIDES = ("Left", "Right")
DIRECTIONS = ("jawLeft", "jawRight", "mouthLeft", "mouthRight")
"""ARKit names in which a side is a direction, so that there is no shape of both sides."""
STEPS = 300  # of the mixture's descent; the remaining change is below 1e-4
SPARE = 1e-3  # of a pose's square: prefers the smaller of two mixtures that look alike


@dataclass(frozen=True, eq=False)
class RigMap:
    """How ARKit weights drive shape keys; the fields are described in shape_keys/rig_maps/README.md.

    A map that was read anew is another one, so that what was found with it can be remembered by the map itself.
    """

    name: str
    title: str
    direct: tuple[str, ...]
    split: tuple[str, ...] = ()
    poses: dict[str, dict[str, float]] = field(default_factory=dict)
    prefixes: tuple[str, ...] = ()
    aliases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    keys: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def recipe(self, target: str) -> dict[str, float] | None:
        """ARKit weights whose weighted sum drives a target; None for a pose or an unknown name."""
        if target in self.direct:
            return {target: 1.0}
        for side in SIDES:
            if target.endswith(side) and target.removesuffix(side) in self.split:
                return {target.removesuffix(side): 1.0}
        if target in self.merged():
            return {target + side: 0.5 for side in SIDES}
        return None

    def halves(self, target: str) -> tuple[str, ...]:
        """The targets of the left and right half of a target that characters may have split."""
        return tuple(target + side for side in SIDES) if target in self.split else ()

    def sides(self, target: str) -> tuple[str, ...]:
        """The targets of either side of a merged target."""
        return tuple(target + side for side in SIDES) if target in self.merged() else ()

    def merged(self) -> tuple[str, ...]:
        """Names of shapes that move both sides at once: eyeBlink for eyeBlinkLeft and eyeBlinkRight."""
        lefts = [name for name in self.direct if name.endswith("Left") and name not in DIRECTIONS]
        return tuple(name.removesuffix("Left") for name in lefts)

    def targets(self) -> tuple[str, ...]:
        """The names a whole character has: poses and direct shapes."""
        return (*self.poses, *self.direct)

    def knows(self, target: str) -> bool:
        """Whether a target can be driven."""
        return target in self.poses or self.recipe(target) is not None


def map_names() -> tuple[str, ...]:
    """Names of the shipped maps."""
    return tuple(sorted(path.stem for path in _folder().glob("*.json")))


def load_map(name: str) -> RigMap:
    """Read a shipped map by its name, or a file that ends in .json. Raises MappingError with a sentence."""
    path = Path(name) if name.lower().endswith(".json") else _folder() / f"{name}.json"
    if not path.is_file():
        raise MappingError(f"There is no rig map {name}; choose one of {', '.join(map_names())} or a .json file.")
    return _read_map(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=32)
def _read_map(path: Path, _changed: int) -> RigMap:
    """Read a map's file; once, until it changes, since a panel asks for it whenever it is drawn."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise MappingError(f"{path} has format {content['format']}, expected {FORMAT}; update the add-on.")
        rig_map = RigMap(
            name=path.stem,
            title=str(content.get("title", path.stem)),
            direct=_words(content.get("direct", [])),
            split=_words(content.get("split", [])),
            poses={str(key): _weights(pose) for key, pose in content.get("poses", {}).items()},
            prefixes=_words(content.get("prefixes", [])),
            aliases={str(key): _words(names) for key, names in content.get("aliases", {}).items()},
            keys={str(key): _words(names) for key, names in content.get("keys", {}).items()},
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise MappingError(
            f"{path} is no rig map ({error!r}); shape_keys/rig_maps/README.md describes them."
        ) from error
    strange = [target for target in rig_map.keys if not rig_map.knows(target)]
    if strange:
        raise MappingError(f"{path}: keys names {strange[0]}, which is neither in direct nor in poses.")
    return rig_map


def _folder() -> Path:
    for place in PLACES:
        if place.is_dir():
            return place
    raise MappingError("The add-on lacks its rig maps; install the zip that `python3 build.py addon` makes.")


def _words(values: list) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise TypeError(f"expected a list of names, got {values!r}")
    return tuple(values)


def _weights(pose: dict) -> dict[str, float]:
    weights = {str(name): float(value) for name, value in pose.items()}
    if not all(0 <= value <= 1 for value in weights.values()):
        raise ValueError(f"a pose has weights outside 0..1: {pose}")
    return weights


def convert(weights: np.ndarray, names: tuple[str, ...], rig_map: RigMap, targets: tuple[str, ...]) -> np.ndarray:
    """Weights of a map's targets: (T, 52) ARKit weights in 0..1 to (T, K) float32 in 0..1.

    Raises MappingError where the animation lacks an ARKit weight that a target needs.
    """
    columns = {name: index for index, name in enumerate(names)}
    needed = {source for target in targets for source in rig_map.recipe(target) or rig_map.poses.get(target, {})}
    lacking = sorted(needed - set(columns))
    if lacking:
        raise MappingError(f"The animation has no weights for {', '.join(lacking[:3])}; animate the sound again.")
    mixture = mix_poses(weights, names, rig_map) if set(targets) & set(rig_map.poses) else {}
    result = np.zeros((len(weights), len(targets)), np.float32)
    for index, target in enumerate(targets):
        if target in mixture:
            result[:, index] = mixture[target]
            continue
        for source, factor in (rig_map.recipe(target) or {}).items():
            result[:, index] += factor * weights[:, columns[source]]
    return result


def mix_poses(weights: np.ndarray, names: tuple[str, ...], rig_map: RigMap) -> dict[str, np.ndarray]:
    """Pose to (T,) float32 in 0..1: per frame the mixture that comes closest to the ARKit weights (T, 52).

    Least squares over mixtures that are not negative and sum to at most 1, by accelerated projected gradients (Beck and
    Teboulle 2009, doi:10.1137/080716542); what is left to 1 goes to the pose without weights, the mouth at rest.
    """
    moving = [pose for pose, parts in rig_map.poses.items() if parts]
    rest = [pose for pose, parts in rig_map.poses.items() if not parts]
    used = [name for name in names if any(name in rig_map.poses[pose] for pose in moving)]
    shapes = np.array([[rig_map.poses[pose].get(name, 0.0) for name in used] for pose in moving])
    wanted = np.asarray(weights, np.float64)[:, [names.index(name) for name in used]]
    square = shapes @ shapes.T + SPARE * np.diag((shapes**2).sum(1))
    aim = wanted @ shapes.T
    step = 1 / np.linalg.eigvalsh(square)[-1]
    mixture = ahead = np.zeros_like(aim)
    pace = 1.0
    for _ in range(STEPS):
        following = _onto_mixtures(ahead - step * (ahead @ square - aim))
        faster = (1 + np.sqrt(1 + 4 * pace * pace)) / 2
        ahead = following + (pace - 1) / faster * (following - mixture)
        mixture, pace = following, faster
    found = {pose: mixture[:, index].astype(np.float32) for index, pose in enumerate(moving)}
    left = (1 - mixture.sum(axis=1)).clip(0, 1).astype(np.float32)
    return found | {pose: left / len(rest) for pose in rest}


def _onto_mixtures(points: np.ndarray) -> np.ndarray:
    """The nearest rows (T, K) that are not negative and sum to at most 1 (Duchi et al. 2008, ICML)."""
    inside = points.clip(0, None)
    over = inside.sum(axis=1) > 1
    if over.any():
        ordered = -np.sort(-points[over], axis=1)
        excess = ordered.cumsum(axis=1) - 1
        counts = np.arange(1, points.shape[1] + 1)
        last = (ordered - excess / counts > 0).sum(axis=1)
        level = excess[np.arange(len(last)), last - 1] / last
        inside[over] = (points[over] - level[:, None]).clip(0, None)
    return inside
