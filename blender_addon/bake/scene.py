"""Set a scene's rate, range and colours, and give it a camera and a background."""

import math

import bpy
import numpy as np

from ..timing import split_rate

BACKGROUND = 0.35  # linear grey behind the head
FACE_HEIGHT = 0.72  # of the picture's height
LENS = 85.0  # mm, a portrait lens
ROUNDING = 1e-3  # frames: what rates such as 30000 / 1001 are off by
SENSOR = 36.0  # mm, the side of the picture that the face is to fit: a full-frame camera's width


def set_timing(scene: bpy.types.Scene, fps: float, start: int, frames: int) -> None:
    """Give the scene the animation's rate and range, and let playback follow the sound."""
    scene.render.fps, scene.render.fps_base = split_rate(fps)
    scene.frame_start = start
    scene.frame_end = start + frames - 1
    follow_sound(scene)
    scene.frame_set(start)


def follow_sound(scene: bpy.types.Scene) -> None:
    """Let playback leave out pictures rather than fall behind the sound."""
    scene.sync_mode = "AUDIO_SYNC"


def include_frames(scene: bpy.types.Scene, first: float, last: float) -> None:
    """Let the scene's range end no earlier than a line, and begin no later."""
    scene.frame_start = min(scene.frame_start, math.floor(first + ROUNDING))
    scene.frame_end = max(scene.frame_end, math.ceil(last - ROUNDING))


def scene_rate(scene: bpy.types.Scene) -> float:
    """The scene's frames per second."""
    return scene.render.fps / scene.render.fps_base


def set_colours(scene: bpy.types.Scene) -> None:
    """Show image colours as they are: no film look, exposure or dithering."""
    scene.display_settings.display_device = "sRGB"
    scene.view_settings.view_transform = "Standard"
    scene.view_settings.look = "None"
    scene.view_settings.exposure = 0.0
    scene.view_settings.gamma = 1.0
    scene.render.dither_intensity = 0.0


def set_background(scene: bpy.types.Scene) -> None:
    """Calm neutral grey behind the head."""
    world = bpy.data.worlds.new("Mouthpiece background")
    if world.node_tree is None:
        world.use_nodes = True  # 5.0 and later always have nodes and warn about this switch
    nodes = world.node_tree.nodes
    nodes.clear()
    background = nodes.new("ShaderNodeBackground")
    background.inputs["Color"].default_value = (BACKGROUND, BACKGROUND, BACKGROUND, 1.0)
    output = nodes.new("ShaderNodeOutputWorld")
    world.node_tree.links.new(background.outputs["Background"], output.inputs["Surface"])
    world.color = (BACKGROUND, BACKGROUND, BACKGROUND)
    scene.world = world


def add_camera(scene: bpy.types.Scene, head: bpy.types.Object) -> bpy.types.Object:
    """Add a camera that looks straight at the neutral face, and make it the scene's."""
    corners = np.array([head.matrix_world @ vertex.co for vertex in head.data.vertices])
    low, high = corners.min(axis=0), corners.max(axis=0)
    data = bpy.data.cameras.new("Mouthpiece camera")
    data.lens, data.sensor_width, data.sensor_height = LENS, SENSOR, SENSOR
    if scene.render.resolution_x >= scene.render.resolution_y:
        data.sensor_fit = "VERTICAL"  # a wide picture holds the whole height too
    camera = bpy.data.objects.new("Mouthpiece camera", data)
    scene.collection.objects.link(camera)
    height = (high[2] - low[2]) / FACE_HEIGHT
    distance = height * LENS / SENSOR
    camera.location = ((low[0] + high[0]) / 2, low[1] - distance, (low[2] + high[2]) / 2)
    camera.rotation_euler = (math.pi / 2, 0.0, 0.0)
    data.clip_end = max(100.0, 4 * distance)
    scene.camera = camera
    return camera


def show_textures() -> None:
    """Let every 3D View look through the camera and show materials, so that the file opens on the finished face."""
    for screen in bpy.data.screens:
        for area in screen.areas:
            for space in area.spaces:
                if space.type == "VIEW_3D":
                    space.shading.type = "MATERIAL"
                    if space.region_3d is not None:
                        space.region_3d.view_perspective = "CAMERA"
