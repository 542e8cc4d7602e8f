from farm.local.plan.estimate import make_estimate
from farm.spec.passes import VIEW_PASSES
from farm.spec.recipes.sod import SodAugmented, SodGrid
from farm.spec.render import RenderSettings
from tests.builders import a_job


def plan_of(*, devices=("cpu",), views_done=0, **spec):
    return make_estimate(a_job(**spec), devices=list(devices), views_done=views_done)


def test_a_plan_counts_what_the_spec_multiplies_to():
    plan = plan_of(models=2, hdrs=3, recipe=SodGrid(yaw=12, pitch=8))

    assert (plan.assets, plan.datasets, plan.views) == ({"models": 2, "hdrs": 3}, 6, 576)
    assert plan_of(models=2, hdrs=3, recipe=SodAugmented()).datasets == 1


def test_more_pixels_samples_and_bits_take_more():
    small = plan_of()
    for settings in ({"resolution": 2048}, {"samples": 1024}, {"bit_depth": 16}):
        large = plan_of(render=RenderSettings(**settings))
        assert (large.seconds, large.size_bytes) > (small.seconds, small.size_bytes)


def test_what_is_done_takes_no_time_and_no_room():
    assert plan_of(views_done=48).seconds < plan_of().seconds
    assert plan_of(views_done=96).seconds == 0
    assert plan_of(views_done=96).size_bytes == 0


def test_more_gpus_take_less_time():
    one, four = (plan_of(devices=["optix:0"] * n, hdrs=4) for n in (1, 4))

    assert four.seconds < one.seconds / 2


def test_every_pass_in_every_format_can_be_planned():
    small = plan_of(passes=("rgb",)).size_bytes
    for picture_format in ("png", "jxl"):
        settings = RenderSettings(format=picture_format)
        assert plan_of(passes=VIEW_PASSES, render=settings).size_bytes > small


def test_labels_take_room_and_one_sample():
    few, all_ = (
        make_estimate(a_job(passes=passes, render=RenderSettings(samples=64)), devices=["cuda:0"])
        for passes in (("depth",), VIEW_PASSES)
    )

    assert all_.size_bytes > 10 * few.size_bytes
    assert all_.seconds > few.seconds
