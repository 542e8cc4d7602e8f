"""A cube that turns and changes its colour, as a script for blendtorch: it runs as it is.

farm render examples/cube/cube.yaml
"""

import bpy
import numpy as np
from blendtorch import btb


def main():
    args, _ = btb.parse_blendtorch_args()
    camera = bpy.context.scene.camera
    cube = bpy.data.objects["Cube"]
    paint = bpy.data.materials.new(name="paint")
    cube.data.materials.clear()
    cube.data.materials.append(paint)

    def pre_frame():
        cube.rotation_euler = np.random.uniform(0, np.pi, size=3)
        paint.diffuse_color = np.concatenate((np.random.random(size=3), [1.0]))

    def post_frame(renderer, publisher, animation):
        publisher.publish(
            image=renderer.render(),
            xy=btb.camera.project_points(cube, camera=camera),
            frameid=animation.frameid,
        )

    publisher = btb.DataPublisher(args.btsockets["DATA"], args.btid)
    renderer = btb.OffScreenRenderer(mode="rgb")
    renderer.view_matrix = btb.camera.view_matrix()
    renderer.proj_matrix = btb.camera.projection_matrix()
    renderer.set_render_style(shading="RENDERED", overlays=False)

    animation = btb.AnimationController()
    animation.pre_frame.add(pre_frame)
    animation.post_frame.add(post_frame, renderer, publisher, animation)
    animation.play(frame_range=(0, 100), num_episodes=-1)


main()
