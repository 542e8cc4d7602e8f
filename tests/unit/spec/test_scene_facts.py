"""What is known of scenes tells plans apart."""

from farm.spec.scene_facts import SceneFacts


def facts(**unfit: str) -> SceneFacts:
    return SceneFacts(fps=24.0, frame_start=1, frame_end=10, unfit_cameras=unfit)


def test_facts_can_be_told_apart_by_their_hash():
    """Plans are remembered by it."""
    assert hash(facts(eye="it is a mirror ball")) == hash(facts(eye="it is a mirror ball"))
    assert hash(facts(eye="it is a mirror ball")) != hash(facts())
