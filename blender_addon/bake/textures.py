"""Build the unlit material: the reference atlas with the lip crops of each frame laid over their rectangle."""

from pathlib import Path

import bpy

from ..animation import Animation, Rectangle, crop_name
from ..errors import AnimationError
from .options import EXACT, ResultOptions
from .paths import stored_path
from .tags import LINE

FEATHER = 0.03  # width of the crop's soft edge, of the crop's side: about 4 of 128 pixels
CROPS = "Mouthpiece lips"  # the texture node with the sequence
SKIN_ROUGHNESS = 0.6
BUILT = "mouthpiece_built"
"""Custom property of a material: of which kind it was built."""
CLAY = (0.55, 0.42, 0.36, 1.0)  # linear colour of a head without textures


def build_material(name: str, animation: Animation, options: ResultOptions = EXACT) -> bpy.types.Material:
    """Material whose colour is the atlas, with the lip crop of frame 0; unlit, it does not depend on lights.

    A head without reference atlas gets a clay look. Raises AnimationError where a picture is damaged; nothing is left
    then.
    """
    material = _empty_material(name)
    material[LINE] = name
    try:
        if animation.reference_atlas is None:
            colour = _clay_colour(material)
        else:
            colour = _atlas_colour(material, name, animation, options)
    except AnimationError:
        remove_material(material)
        raise
    _shade(material, colour, options.lit)
    shown = "clay" if animation.reference_atlas is None else "lips" if CROPS in material.node_tree.nodes else "atlas"
    material[BUILT] = f"{'lit' if options.lit else 'unlit'} {shown}"
    return material


def _shade(material: bpy.types.Material, colour, lit: bool) -> None:
    """Lead a colour's socket to the output: as skin under the scene's lights, or as it is."""
    nodes, links = material.node_tree.nodes, material.node_tree.links
    shader = nodes.new("ShaderNodeBsdfPrincipled" if lit else "ShaderNodeEmission")
    output = nodes.new("ShaderNodeOutputMaterial")
    shader.location, output.location = (500, 0), (800, 0)
    if lit:
        shader.inputs["Roughness"].default_value = SKIN_ROUGHNESS
    links.new(colour, shader.inputs["Base Color" if lit else "Color"])
    links.new(shader.outputs[0], output.inputs["Surface"])


def remove_material(material: bpy.types.Material) -> None:
    """Delete a material and its images where nothing else uses them."""
    if material.users > 0:
        return
    images = material_images(material)
    bpy.data.materials.remove(material)
    for image in images:
        if image.users == 0:
            bpy.data.images.remove(image)


def build_exchange_material(name: str, atlas: bpy.types.Image, unlit: bool) -> bpy.types.Material:
    """Material as exporters understand it: the reference atlas straight to the output (unlit) or as a base colour."""
    material = _empty_material(name)
    nodes, links = material.node_tree.nodes, material.node_tree.links
    texture = nodes.new("ShaderNodeTexImage")
    texture.image = atlas
    output = nodes.new("ShaderNodeOutputMaterial")
    if unlit:
        # The glTF exporter writes KHR_materials_unlit for a colour linked to the output.
        links.new(texture.outputs["Color"], output.inputs["Surface"])
        return material
    shader = nodes.new("ShaderNodeBsdfPrincipled")
    shader.inputs["Roughness"].default_value = 1.0
    links.new(texture.outputs["Color"], shader.inputs["Base Color"])
    links.new(shader.outputs["BSDF"], output.inputs["Surface"])
    return material


def material_images(material: bpy.types.Material) -> list[bpy.types.Image]:
    """The images of a material's texture nodes."""
    return [node.image for node in material.node_tree.nodes if node.type == "TEX_IMAGE" and node.image is not None]


def _empty_material(name: str) -> bpy.types.Material:
    material = bpy.data.materials.new(name)
    if material.node_tree is None:
        material.use_nodes = True  # 5.0 and later always have nodes and warn about this switch
    material.node_tree.nodes.clear()
    return material


def _atlas_colour(material: bpy.types.Material, name: str, animation: Animation, options: ResultOptions):
    reference = _image_node(material, f"{name} atlas", str(animation.reference_atlas))
    reference.location = (0, 0)
    if options.pack:
        reference.image.pack()
    if animation.crops is None or animation.rectangle is None or not options.texture:
        return reference.outputs["Color"]
    local = _crop_coordinates(material, animation.rectangle)
    crops = _image_node(material, f"{name} lips", str(animation.crops / crop_name(0)))
    crops.location = (0, -300)
    crops.extension = "EXTEND"
    crops.image.source = "SEQUENCE"
    crops.name = CROPS
    material.node_tree.links.new(local, crops.inputs["Vector"])
    mix = material.node_tree.nodes.new("ShaderNodeMix")
    mix.data_type = "RGBA"
    mix.location = (300, 0)
    factor, first, second = (_socket(mix.inputs, key) for key in ("Factor_Float", "A_Color", "B_Color"))
    links = material.node_tree.links
    links.new(_inside_mask(material, local), factor)
    links.new(reference.outputs["Color"], first)
    links.new(crops.outputs["Color"], second)
    return _socket(mix.outputs, "Result_Color")


def _image_node(material: bpy.types.Material, name: str, path: str) -> bpy.types.Node:
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    try:
        image = bpy.data.images.load(stored_path(Path(path)), check_existing=False)
    except RuntimeError as error:
        raise AnimationError(f"Blender cannot load {path}: {error}") from error
    node.image = image
    if 0 in tuple(image.size):  # Blender loads a damaged picture without complaint and shows it pink
        raise AnimationError(f"{path} is damaged or no picture; animate the sound again.")
    image.name = name
    node.extension = "EXTEND"
    return node


def _socket(sockets, identifier: str):
    # The Mix node has sockets of one name for every data type; only the identifiers differ.
    return next(socket for socket in sockets if socket.identifier == identifier)


def _crop_coordinates(material: bpy.types.Material, rectangle: Rectangle):
    """Output socket: the atlas coordinates rescaled so that the crop's rectangle spans 0..1."""
    nodes, links = material.node_tree.nodes, material.node_tree.links
    uv = nodes.new("ShaderNodeUVMap")
    uv.uv_map = "UVMap"
    mapping = nodes.new("ShaderNodeMapping")
    uv.location, mapping.location = (-900, -300), (-700, -300)
    for axis, (origin, size) in enumerate(zip(rectangle.uv_origin(), rectangle.uv_size(), strict=True)):
        mapping.inputs["Location"].default_value[axis] = -origin / size
        mapping.inputs["Scale"].default_value[axis] = 1.0 / size
    links.new(uv.outputs["UV"], mapping.inputs["Vector"])
    return mapping.outputs["Vector"]


def _inside_mask(material: bpy.types.Material, local):
    """Output socket: 1 inside the crop's rectangle, falling smoothly to 0 at its edge and outside."""
    nodes, links = material.node_tree.nodes, material.node_tree.links
    centred = nodes.new("ShaderNodeVectorMath")
    centred.operation = "SUBTRACT"
    centred.inputs[1].default_value = (0.5, 0.5, 0.0)
    distance = nodes.new("ShaderNodeVectorMath")
    distance.operation = "ABSOLUTE"
    split = nodes.new("ShaderNodeSeparateXYZ")
    furthest = nodes.new("ShaderNodeMath")
    furthest.operation = "MAXIMUM"
    edge = nodes.new("ShaderNodeMapRange")
    edge.interpolation_type = "SMOOTHSTEP"
    for name, value in (("From Min", 0.5 - FEATHER), ("From Max", 0.5), ("To Min", 1.0), ("To Max", 0.0)):
        edge.inputs[name].default_value = value
    links.new(local, centred.inputs[0])
    links.new(centred.outputs["Vector"], distance.inputs[0])
    links.new(distance.outputs["Vector"], split.inputs["Vector"])
    links.new(split.outputs["X"], furthest.inputs[0])
    links.new(split.outputs["Y"], furthest.inputs[1])
    links.new(furthest.outputs["Value"], edge.inputs["Value"])
    for column, node in enumerate((centred, distance, split, furthest, edge)):
        node.location = (-500 + 160 * column, -600)
    return edge.outputs["Result"]


def _clay_colour(material: bpy.types.Material):
    """Output socket: a plain colour that darkens where the surface turns away, so that the shape can be read."""
    nodes, links = material.node_tree.nodes, material.node_tree.links
    facing = nodes.new("ShaderNodeLayerWeight")
    ramp = nodes.new("ShaderNodeMix")
    ramp.data_type = "RGBA"
    facing.location, ramp.location = (0, 0), (250, 0)
    _socket(ramp.inputs, "A_Color").default_value = CLAY
    _socket(ramp.inputs, "B_Color").default_value = (0.02, 0.015, 0.012, 1.0)
    links.new(facing.outputs["Facing"], _socket(ramp.inputs, "Factor_Float"))
    return _socket(ramp.outputs, "Result_Color")
