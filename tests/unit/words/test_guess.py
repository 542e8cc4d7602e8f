"""What things may be called, by the names that collections give their files."""

from __future__ import annotations

import pytest

from farm.spec.words import AssetWords
from farm.words.guess import Known, guess
from farm.words.names import name_of_path
from farm.words.nouns import kinds, nouns


def named(name, *, title=None, category=None, tags=()):
    return guess(Known(key=name, name=name, title=title, category=category, tags=tags))


@pytest.mark.parametrize(
    ("name", "noun"),
    [
        ("000017_thu_models_wooden_cup2", "cup"),  # RefGrasp
        ("Mug_White_v2_lowpoly", "mug"),
        ("Mug_Orange", "mug"),
        ("bottle_glass", "bottle"),
        ("glass_bottle", "bottle"),
        ("wooden_bowl_01", "bowl"),  # Poly Haven
        ("potted_plant_04", "potted plant"),
        ("marble_bust_01", "bust"),
        ("003_cracker_box", "box"),  # YCB
        ("011_banana", "banana"),
        ("035_power_drill", "drill"),
        ("051_large_clamp", "clamp"),
        ("065-a_cups", "cup"),
        ("CoffeeMaker2", "coffee maker"),
        ("Threshold_Porcelain_Teapot_White", "teapot"),  # Google Scanned Objects
        ("Diamond_Visions_Scissors_Red", "scissors"),
        ("Crosley_Alarm_Clock_Vintage_Metal", "alarm clock"),
        ("wine_glasses", "wine glass"),
        ("bowl of fruit", "bowl"),
        ("fruit bowl", "bowl"),
        ("Red ceramic mug with coffee", "mug"),
        ("tea_set_01_1k_posed", "tea set"),
        ("chengsun_cubev2", "cube"),
        ("vehicle-motorcycle", "motorcycle"),
        ("orange", "orange"),
    ],
)
def test_a_thing_is_what_its_name_is_for(name, noun):
    found = named(name)

    assert found.words.noun == noun
    assert found.is_sure
    assert not found.words.confirmed, "nobody has looked"


@pytest.mark.parametrize(
    ("name", "noun", "doubt"),
    [
        pytest.param("cup_holder", "cup", "or is it a holder?", id="a word that is not known"),
        pytest.param("AlphabetSoup", "soup", "no noun that is known", id="nothing known"),
        pytest.param("Action_Figure", "figure", "no noun that is known", id="last word"),
    ],
)
def test_what_is_not_known_is_guessed_and_said_so(name, noun, doubt):
    found = named(name)

    assert (found.words.noun, found.is_sure) == (noun, False)
    assert doubt in found.why


def test_ids_say_nothing():
    found = named("7bea2b93-30ac-4ee2-8414-c5e1f712911e")

    assert (found.words.noun, found.words.hypernym, found.is_sure) == ("object", None, False)


def test_a_title_goes_before_a_file_name_and_a_category_helps_where_names_do_not():
    assert named("7bea2b93", title="Leather wallet").words.noun == "wallet"
    assert named("adistar_boost_m", category="Shoe").words.noun == "shoe"
    assert named("x17", tags=("wood", "spoon")).words.noun == "spoon"
    several = named("Perricone_Ester", category="Bottles and Cans and Cups").words
    assert (several.noun, several.hypernym) == ("ester", "container")


def test_materials_are_proposed_as_they_stand_before_a_noun():
    assert named("000017_thu_models_wooden_cup2").words.material == "wooden"
    assert named("porcelain_cup").words.material == "porcelain"
    assert named("metal_cup").words.material is None, "that is measured"


@pytest.mark.parametrize(
    ("folders", "stem", "name"),
    [
        (("gso", "Mug_White", "meshes"), "model", "Mug_White"),
        (("ycb", "003_cracker_box", "google_16k"), "textured", "003_cracker_box"),
        (("things", "a_vase"), "scene", "a_vase"),
        (("things",), "red_mug", "red_mug"),
        (("models",), "model", "model"),
    ],
)
def test_where_files_are_all_called_alike_their_folder_tells(folders, stem, name):
    assert name_of_path(folders, stem) == name


def test_the_list_of_nouns_is_sound():
    everything = {each.noun: each for each in nouns().values()}

    assert len(everything) > 250
    for noun in everything.values():
        AssetWords(noun=noun.noun, hypernym=noun.hypernym, synonyms=noun.synonyms,
                   size_m=noun.size_m)  # fmt: skip
        assert noun.noun not in noun.synonyms
    assert kinds().isdisjoint(each.noun for each in everything.values() if each.hypernym is None)
