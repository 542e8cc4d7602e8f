"""The form for a new job: folders, specs, tables, and what is wrong beside its field."""

from __future__ import annotations

import json

import pytest

from farm import expand


@pytest.fixture
def folder(tmp_path):
    """A folder with an .obj, its materials and a texture, as people have them."""
    place = tmp_path / "chairs"
    (place / "tex").mkdir(parents=True)
    (place / "chair.obj").write_text("mtllib chair.mtl\nusemtl wood\nv 0 0 0\n")
    (place / "chair.mtl").write_text("newmtl wood\nmap_Kd tex/wood.png\n")
    (place / "tex" / "wood.png").write_bytes(b"wood")
    (place / "notes.txt").write_text("not for the farm")
    return place


SKY = {"name": "sky.exr", "mimeType": "application/octet-stream", "buffer": b"a sky" * 100}
PLAN = "Upload, and show the plan"


def test_a_folder_brings_what_its_models_need_and_nothing_else(api, open_page, folder):
    page = open_page("/new", role="submit")
    page.locator("[data-folder=models]").set_input_files(folder)
    page.locator("[data-role=hdrs]").set_input_files(SKY)
    page.get_by_text("1 picked: chairs/chair.obj and 3 beside them").wait_for()

    page.get_by_role("button", name=PLAN).click()
    page.get_by_text("96 views in 10 tasks, about").wait_for()
    assert page.locator("[data-remarks]").is_hidden()
    page.get_by_role("button", name="Submit", exact=True).click()
    page.get_by_text("0 of 96 views").wait_for()
    [status] = api.ledger.jobs()
    model = api.services.book.load(status.job_id).assets[0]
    assert [file.path for file in model.dependencies] == ["chair.mtl", "tex/wood.png"]
    kept = {blob.sha256 for blob in api.services.library.blobs()}
    assert {file.sha256 for file in model.dependencies} <= kept
    assert len(kept) == 6  # beside the two that the farm had: no notes


def test_what_is_missing_is_said_and_the_job_may_be_submitted_all_the_same(api, open_page, folder):
    (folder / "tex" / "wood.png").unlink()
    page = open_page("/new", role="submit")
    page.locator("[data-folder=models]").set_input_files(folder)
    page.locator("[data-role=hdrs]").set_input_files(SKY)

    page.get_by_role("button", name=PLAN).click()
    page.get_by_text("chairs/chair.obj needs tex/wood.png, which was not picked").wait_for()
    page.get_by_text("96 views in 10 tasks, about").wait_for()


def test_an_upload_that_breaks_is_resumed_where_it_was(api, open_page):
    page = open_page("/new", role="submit")
    sent = []

    def break_once(route):
        sent.append(int(route.request.headers["upload-offset"]))
        if len(sent) == 2:
            route.abort()
        else:
            route.continue_()

    page.route(
        "**/upload",
        lambda route: break_once(route) if route.request.method == "PATCH" else route.continue_(),
    )
    sky = SKY | {"buffer": b"a sky" * (2 << 20)}  # two pieces of 8 MB
    model = {"name": "cup.glb", "mimeType": "model/gltf-binary", "buffer": b"glTF" + bytes(16)}
    page.locator("[data-role=hdrs]").set_input_files(sky)
    page.locator("[data-role=models]").set_input_files(model)

    page.get_by_role("button", name=PLAN).click()
    page.get_by_text("96 views in 10 tasks, about").wait_for()
    for _ in range(100):
        if len(sent) == 4:
            break
        page.wait_for_timeout(100)  # in which Playwright tells of what was sent
    assert sent == [0, 0, 0, 8 << 20]


def test_a_spec_fills_the_form_and_the_form_is_told_as_a_command(api, open_page):
    spec = {
        "models": "things/*.glb",
        "recipe": {"mode": "augmented", "pitch": 3, "randomise": {"exposure": {"ev": "1..2"}}},
        "render": {"resolution": "128x64"},
        "passes": ["rgb", "depth"],
        "seed": 7,
    }
    page = open_page("/new", role="submit")
    file = {"name": "job.json", "mimeType": "application/json", "buffer": json.dumps(spec).encode()}
    page.locator("[data-drop=models]").wait_for()
    page.locator("[data-spec-file]").set_input_files(file)

    page.get_by_text("job.json is filled in. Pick its files: models: things/*.glb.").wait_for()
    assert page.get_by_label("Yaw per pitch").input_value() == "4"
    assert page.get_by_label("Seed").input_value() == "7"
    assert page.get_by_label("depth", exact=True).is_checked()
    assert not page.get_by_label("mask", exact=True).is_checked()
    page.get_by_text("The same from a laptop").click()
    page.get_by_role("button", name="Show it as a command").click()
    command = page.locator("[data-as-command]")
    command.filter(has_text="--set recipe.pitch=3").wait_for()
    said = command.text_content()
    assert "--set recipe.mode=augmented" in said
    assert '\'recipe.randomise={"exposure": {"ev": "1..2"}}\'' in said


def test_mistakes_stand_beside_their_fields_before_anything_is_sent(api, open_page):
    page = open_page("/new", role="submit")
    page.locator("[data-role=hdrs]").set_input_files(SKY)
    page.get_by_label("Yaw", exact=True).fill("0")
    page.get_by_label("Randomise").fill("lamps")

    page.get_by_role("button", name=PLAN).click()
    page.locator("[data-wrong='recipe.yaw']", has_text="0 is less than 1").wait_for()
    assert page.get_by_label("Yaw", exact=True).get_attribute("aria-invalid") == "true"
    assert page.locator("[data-wrong='recipe.randomise']").is_visible()
    assert page.locator("[data-wrong='models']").is_visible()
    focused = "document.activeElement.dataset.role"
    assert page.evaluate(focused) == "models", "the first of them is gone to"
    page.get_by_text("3 fields need to be corrected").wait_for()
    assert len(list(api.services.library.blobs())) == 2
    page.get_by_label("Yaw", exact=True).fill("2")
    assert page.locator("[data-wrong='recipe.yaw']").is_hidden()


def test_a_field_says_what_it_means_while_somebody_is_in_it(api, open_page):
    page = open_page("/new", role="submit")
    hint = page.locator(".hint", has_text="The same seed makes the same dataset again.")
    page.get_by_label("Seed").wait_for()
    assert hint.is_hidden()

    page.get_by_label("Seed").focus()
    hint.wait_for(state="visible")
    page.get_by_label("Priority").focus()
    hint.wait_for(state="hidden")


def test_things_of_a_table_have_words_from_a_file(api, open_page):
    page = open_page("/new", role="submit")
    page.get_by_label("Recipe", exact=True).select_option("tabletop")
    mug = {"name": "mug.glb", "mimeType": "model/gltf-binary", "buffer": b"glTF" + bytes(16)}
    words = {"name": "words.yaml", "mimeType": "text/yaml", "buffer": b"mug.glb: {noun: mug}\n"}
    page.locator("[data-role=objects]").set_input_files(mug)
    page.locator("[data-text=words]").set_input_files(words)
    page.get_by_label("Per scene").fill("2..3")
    page.get_by_label("Scenes", exact=True).fill("2")

    page.get_by_role("button", name=PLAN).click()
    page.get_by_text("10 views in").wait_for()
    page.get_by_role("button", name="Submit", exact=True).click()
    page.get_by_text("0 of 10 views").wait_for()
    [status] = api.ledger.jobs()
    job = api.services.book.load(status.job_id)
    assert job.spec.recipe.words["mug.glb"].noun == "mug"
    assert (job.spec.recipe.per_scene, expand.count(job).views) == ((2, 3), 10)


def test_what_is_dropped_goes_where_it_belongs(api, open_page):
    page = open_page("/new", role="submit")
    page.locator("[data-drop=models]").wait_for()
    page.evaluate(
        """() => {
          const transfer = new DataTransfer();
          for (const name of ["cup.glb", "sky.hdr"]) transfer.items.add(new File(["x"], name));
          const event = new DragEvent("drop", { dataTransfer: transfer, bubbles: true });
          document.querySelector("[data-summary]").dispatchEvent(event);
        }"""
    )
    page.locator("[data-drop=models]", has_text="1 picked: cup.glb").wait_for()
    page.locator("[data-drop=hdrs]", has_text="1 picked: sky.hdr").wait_for()


def test_a_recipe_that_cannot_be_had_says_why(api, open_page):
    page = open_page("/new", role="submit")
    page.get_by_label("Recipe", exact=True).select_option("script")

    page.get_by_text("needs a token with the role script").wait_for()
    assert page.get_by_label("Mode").is_hidden()
    assert page.get_by_role("button", name=PLAN).is_disabled()


def test_a_rig_is_a_mode_with_fields_of_its_own(api, open_page, folder):
    page = open_page("/new", role="submit")

    def field(name):
        return page.locator(f"[data-field='recipe.{name}']")

    page.locator("[data-folder=models]").set_input_files(folder)
    page.locator("[data-role=hdrs]").set_input_files(SKY)
    page.locator("select[name=mode]").select_option(label="rig")
    field("azimuths").fill("0:360:45")
    field("elevations").fill("0, 20")
    field("distance").fill("1.5..2.2")
    field("views").fill("5")

    page.get_by_role("button", name=PLAN).click()
    page.get_by_text("recipe.views: the rig rings has 16").wait_for()
    field("views").fill("")
    field("frame").select_option(label="unit-sphere")
    page.get_by_role("button", name=PLAN).click()
    page.get_by_text("16 views in 2 tasks, about").wait_for()
    field("rig").select_option(label="zero123plus")
    field("azimuths").fill("")
    field("elevations").fill("")
    page.get_by_role("button", name=PLAN).click()
    page.get_by_text("6 views in 1 task, about").wait_for()
