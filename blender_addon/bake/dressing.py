"""Put a line's new pictures on its head: into the material that is there, with all that was made of it by hand."""

import bpy

from .lips import follow_keys, forget_timing
from .tags import LINE
from .textures import BUILT, CROPS, material_images, remove_material


def dress(head: bpy.types.Object, line: str, material: bpy.types.Material) -> list[bpy.types.Material]:
    """Show a line's new material: in its earlier one of the same kind, else where its earlier one was, else first.

    Of an earlier one of the same kind only our pictures and their timing change; one of another kind goes, unless it
    was renamed. Other materials stay. Returns what shows the line now, its lip crops still to be timed.
    """
    _let_duplicates_keep_theirs(head, line)
    slots = head.data.materials
    places = [place for place, found in enumerate(slots) if found is not None and found.get(LINE) == line]
    kept = [slots[place] for place in places if _is_of_kind(slots[place], material)]
    for earlier in kept:
        _show(earlier, material)
    if kept:
        remove_material(material)
    elif places:
        earlier = slots[places[0]]
        slots[places[0]] = material
        if earlier.name == line:
            remove_material(earlier)
            material.name = line
    else:
        slots.append(material)
    return kept or [material]


def _let_duplicates_keep_theirs(head: bpy.types.Object, line: str) -> None:
    """Give each duplicate of a head, which shows its material too, one of its own that follows its own keys."""
    shared = [found for found in head.data.materials if found is not None and found.get(LINE) == line]
    own: dict[tuple[bpy.types.Mesh, bpy.types.Material], bpy.types.Material] = {}
    for other in bpy.data.objects:
        if other.get(LINE) != line or other.type != "MESH" or other.data == head.data or other.data.library is not None:
            continue
        for slot in other.material_slots:
            if slot.material not in shared:
                continue
            key = (other.data, slot.material)
            if key not in own:
                own[key] = slot.material.copy()
                follow_keys(own[key], other.data.shape_keys)
            slot.material = own[key]


def _is_of_kind(earlier: bpy.types.Material, material: bpy.types.Material) -> bool:
    """Whether what a new material shows can be shown in an earlier one, which is ours to change."""
    if earlier.library is not None or earlier.node_tree is None:
        return False
    built = earlier.get(BUILT)
    lips = [CROPS in found.node_tree.nodes for found in (earlier, material)]
    return all(lips) if built is None else built == material[BUILT] and lips[0] == lips[1]


def _show(earlier: bpy.types.Material, material: bpy.types.Material) -> None:
    """Give an earlier material the lip crops of a new one, and its atlas where no other picture took its place."""
    atlas = next((image for image in material_images(material) if image.source == "FILE"), None)
    for node in earlier.node_tree.nodes:
        if node.type != "TEX_IMAGE" or node.image is None or node.name == CROPS:
            continue
        if atlas is not None and _file_name(node.image) == _file_name(atlas) and not node.image.is_dirty:
            _replace_image(node, atlas)
    crops, fresh = (found.node_tree.nodes.get(CROPS) for found in (earlier, material))
    if crops is None or fresh is None:
        return
    _replace_image(crops, fresh.image)
    for name in ("frame_duration", "frame_start", "frame_offset", "use_auto_refresh"):
        setattr(crops.image_user, name, getattr(fresh.image_user, name))
    forget_timing(earlier)
    place, new = (_mapping(node) for node in (crops, fresh))
    if place is not None and new is not None:
        for name in ("Location", "Scale"):
            place.inputs[name].default_value = new.inputs[name].default_value


def _replace_image(node: bpy.types.Node, image: bpy.types.Image) -> None:
    old, node.image = node.image, image
    if old is not None and old.users == 0:
        name = old.name
        bpy.data.images.remove(old)
        image.name = name


def _mapping(crops: bpy.types.Node) -> bpy.types.Node | None:
    """The node that says where in the atlas the crops lie."""
    links = crops.inputs["Vector"].links
    return links[0].from_node if len(links) and links[0].from_node.type == "MAPPING" else None


def _file_name(image: bpy.types.Image) -> str:
    return image.filepath.replace("\\", "/").rpartition("/")[2]
