"""`farm spec` and `farm schema`: what a spec may contain."""

from __future__ import annotations

import typer

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
  front: +y                  # side of models that is seen at yaw 0; most models face -y
  fit: false                 # frame by the projected bounds (thin and flat models)
  file_lights: false         # keep the lights that a model's file brings
  allow_empty_masks: false   # keep views that show nothing of the model, which else fail by name

render:
  resolution: 640            # 64..8192, or 1280x720
  # samples: 64              # left out: 64, or 128 from 2048 px up
  # denoise: false           # left out: from 2048 px up
  # noise_threshold: 0.05    # noise at which a pixel gets no more samples; left out: it gets all
  # engine: eevee            # the picture by EEVEE: quick on a GPU, less exact; labels by Cycles
  # format: jxl              # left out: png for grid, jxl (lossless) for augmented
  bit_depth: 8               # or 16
  view_transform: AgX        # or Filmic, Standard
  previews: true             # 8-bit pictures of depth, normals and other labels, for people

# or depth, distance, normal, normal_world, index, material, flow_forward, flow_backward, position,
# albedo, diffuse, specular, cryptomatte, uv; of sequences also tracks, and to both sides flow (with
# where it is valid), scene_flow, occlusion (and what is out of the frame)
passes: [rgb, mask]
seed: 0                      # the same seed makes the same dataset again
views_per_task: 10           # views that a worker renders for one message
"""


def spec() -> None:
    """Print a commented example of a spec; `farm render spec.yaml` renders one."""
    typer.echo(EXAMPLE, nl=False)


def schema() -> None:
    """Print the JSON schema of a spec, for editors that complete and check YAML."""
    import json

    from farm.spec.job import JobSpec

    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    title = {"title": "Viewfarm spec"}
    typer.echo(json.dumps(dialect | JobSpec.model_json_schema() | title, indent=2))
