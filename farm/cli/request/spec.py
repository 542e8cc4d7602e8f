"""`farm spec` and `farm schema`: what a spec may contain."""

from __future__ import annotations

from typing import Annotated

import typer

from farm.errors import SpecError

EXAMPLE = """\
# A dataset for salient object detection. Every line but `models` and `hdrs` may be left out;
# what is shown is the default unless it says otherwise.
# yaml-language-server: $schema=viewfarm.schema.json
# (the line above is for editors; `farm schema > viewfarm.schema.json` writes that file)

models:                      # files, globs, folders (relative to this file)
  - downloads/model/*.blend
hdrs:
  - downloads/hdr/*.exr
output: datasets             # folder that the datasets are written to
# dataset_name: chairs       # folder inside it; grid mode may say {model} and {hdr}

recipe:
  kind: sod
  mode: augmented            # not the default: `grid` is
  pitch: 10                  # pitches, 0..90 degrees inclusive
  yaw_per_pitch: 4           # random yaws at each pitch
  hdr_switch: 4              # another HDRI after so many views
  strength: [0.7, 1.5]       # of the HDRI
  # mode: grid               # regular steps instead:
  # yaw: 12                  #   360/yaw degrees each
  # pitch: 8                 #   90/pitch degrees each
  # mode: rig                # cameras by a rig, or by angles:
  # rig: zero123plus         #   or rings, fibonacci, hammersley, random, zero123, trellis, lrm, ...
  # elevations: [0, 20, -10] #   of rings, degrees
  # azimuths: "0:360:45"     #   of rings, degrees from the front, counter-clockwise from above
  # views: 40                #   of fibonacci, hammersley, random and rigs that are drawn
  # distance: 1.5..2.2       #   a number or a range, in units of the frame
  # fov_deg: 40              #   a number or a range; or orthographic: 1.5, the width in those units
  # stereo: 0.1              #   a pair of cameras in place of each
  # frame: unit-sphere       # where the model stands; left out: unit-cube, or the rig's own
  front: +y                  # side of models that is seen at yaw 0; most models face -y
  # relight: true            # each view under every HDRI, by the same camera; labels once
  # relight_turns: 4         #   and each HDRI turned so many times
  # ground: layer            # shadow on an unseen plane as a pass; picture: also in rgb
  fit: false                 # frame by the projected bounds (thin and flat models)
  file_lights: false         # keep the lights that a model's file brings
  allow_empty_masks: false   # keep views that show nothing of the model, which else fail by name
  # randomise: lights        # drawn anew for each view: lights, exposure, hdri (of a grid), camera,
  #                          # materials; `farm spec tabletop` shows the fields that each has

render:
  resolution: 640            # 64..8192, or 1280x720
  # quality: standard        # draft, standard, reference, auto: docs/quality.md; left out: plain
  # samples: 64              # left out: 64, or 128 from 2048 px up
  # denoise: false           # left out: from 2048 px up
  # noise_threshold: 0.05    # noise at which a pixel gets no more samples; left out: it gets all
  # engine: eevee            # the picture by EEVEE: quick on a GPU, less exact; labels by Cycles
  # background: looked_up    # the sky from the HDRI itself: no noise, and only the model is traced
  # format: jxl              # left out: png for grid, jxl (lossless) for augmented
  bit_depth: 8               # or 16
  view_transform: AgX        # or Filmic, Standard
  # exposure: auto           # stops, by the light of each HDRI, or a number such as -1.5
  previews: true             # 8-bit pictures of depth, normals and other labels, for people
  # pack: webdataset         # many views in one file, for large jobs: webdataset (tar), parquet

# or depth, distance, normal, normal_world, index, material, flow_forward, flow_backward, position,
# albedo, diffuse, specular, cryptomatte, uv, linear, foreground, background (both also with
# _linear); of sequences also tracks, and to both sides flow (with
# where it is valid), scene_flow, occlusion (and what is out of the frame). What materials are, all
# by the word surface: base_color, roughness, metallic, emission, transmission, opacity,
# normal_geometry, surface_valid
passes: [rgb, mask]
seed: 0                      # the same seed makes the same dataset again
views_per_task: 10           # views that a worker renders for one message; packed: 100 if left out
"""


TABLETOP = """\
# Scenes of several things on a table, with sentences that say which is which. Every line but
# `recipe: kind` and `objects` may be left out; what is shown is the default unless it says
# otherwise. A range is 2..5, or {kind: normal, mean: 3, std: 1} (also uniform, whole, choice).

objects:                     # files, globs, folders (relative to this file)
  - things/
# surfaces: [tables/]        # models to lie on; left out: a plain board
# textures: [woods/]         # pictures (PNG, JPEG) that the table shows
# distractors: [clutter/]    # models beside the objects, see randomise
# hdrs: [skies/]             # left out: light from everywhere
output: datasets

recipe:
  kind: tabletop             # not the default
  # words: words.yaml        # what objects are called; `farm words propose things/` makes it
  scenes: 10
  views: 5                   # of each scene
  per_scene: 6..12           # objects
  copies: 1..2               # of each of them
  # categories: 2..4         # kinds of objects, by noun; left out: any number
  arrangement: drop          # they fall, or `place`: they are put
  rows: 4                    # of place
  columns: 4
  free: false                # of place: anywhere instead of in a grid
  stacks: 0.0                # of place: share of objects that are put onto another one
  table_m: [1.0, 0.7]        # of the plain board
  scale: file                # or `expected`: as large as words say (size_m)
  skies: 1                   # HDRIs over the views of a scene
  strength: [0.7, 1.5]       # of the HDRI
  camera:
    azimuth_deg: 0..360
    elevation_deg: 25..65
    distance_m: 0.9..1.4
    roll_deg: -10..10
    focal_length_mm: 35..50
    look_at_m: -0.05..0.05   # along x and y, from the middle of the table
  camera_tries: 10           # cameras of a view, until one sees enough:
  min_visible: 3             #   so many objects, each of them
  visible_fraction: 0.4      #   by so much
  visible_px: 200            #   and so many pixels
  scene_tries: 10            # draws of a scene, until one settles
  expressions:
    per_view: 12
    levels: [1, 2, 3, 4, 5]
    negatives: 0.15          # share without a target
  holdout: 0.0               # share of scenes that show objects which no other scene does
  # randomise: all           # not the default; or some of these, as here:
  randomise:
    lights: {count: 1..3, kinds: [area, point, spot], power_w: 5..40, kelvin: 2500..8000,
             azimuth_deg: 0..360, elevation_deg: 20..80, distance_m: 1..2.5, size_m: 0.05..0.5,
             spot_deg: 30..90}
    exposure: {ev: {kind: normal, mean: 0, std: 0.5}}
    hdri: {turn_deg: 0..360, strength: 0.4..1.5}
    camera: {elevation_deg: 15..75, distance_m: 0.8..1.8, focal_length_mm: 28..60,
             roll_deg: {kind: normal, mean: 0, std: 8},
             look_at_m: {kind: normal, mean: 0, std: 0.04}}
    materials: {share: 0.5, hue_deg: -180..180, roughness: 0.05..0.95,
                metallic: {kind: choice, values: [0, 0, 0, 1]}, swap: 0.0, per: scene}
    surface: {textured: 1.0, size_m: 0.3..1.0, turn_deg: 0..360, hue_deg: 0..360,
              saturation: 0..0.6, value: 0.15..0.85, roughness: 0.25..0.9, per: scene}
    distractors: {count: 1..4, shapes: [cube, sphere, cylinder, cone, torus], models: 0.5,
                  size_m: 0.02..0.07, floating: 0.25, height_m: 0.2..0.45, hue_deg: 0..360,
                  saturation: 0.2..0.9, value: 0.1..0.9, roughness: 0.1..0.9,
                  metallic: {kind: choice, values: [0, 0, 0, 1]}}

render:
  resolution: 640
# amodal: whole silhouettes, too; `farm spec` names all passes
passes: [rgb, mask, index, depth]  # not the default: rgb and mask are
seed: 0
"""
EXAMPLES = {"sod": EXAMPLE, "tabletop": TABLETOP}


def spec(
    recipe: Annotated[str, typer.Argument(metavar="[RECIPE]", help="sod or tabletop.")] = "sod",
) -> None:
    """Print a commented example of a spec; `farm render spec.yaml` renders one."""
    if recipe not in EXAMPLES:
        raise SpecError(
            f"there is no example of {recipe!r}, only of {' and '.join(EXAMPLES)}; "
            "farm render --recipe NAME --help shows the fields of each recipe"
        )
    typer.echo(EXAMPLES[recipe], nl=False)


def schema() -> None:
    """Print the JSON schema of a spec, for editors that complete and check YAML."""
    import json

    from farm.spec.job import JobSpec

    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    title = {"title": "Viewfarm spec"}
    typer.echo(json.dumps(dialect | JobSpec.model_json_schema() | title, indent=2))
