"""What strangers send: each gets its status and its sentence, and nothing is stored."""

from __future__ import annotations

import copy
import hashlib
import http.client
import json
import re

import pytest
import redis

from tests.support.farms.api_server import HDR, MODEL, ApiServer, a_submission, asset, body

HASH = "0" * 64
JOB = "0123456789ab"


@pytest.fixture(scope="module")
def api(redis_server, tmp_path_factory):
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    with ApiServer(
        redis_server.url,
        tmp_path_factory.mktemp("api"),
        max_submission_bytes=200_000,
        max_asset_bytes=5_000_000,
        max_tasks=1000,
        shared_storage="/srv/assets:/nfs/more",
    ) as server:
        server.upload(MODEL)
        server.upload(HDR)
        yield server


@pytest.fixture
def untouched(api):
    """Nothing is stored by what the test does."""
    before = api.stored()
    yield
    assert api.stored() == before
    assert api.ledger.jobs() == []


def problem(answer, status):
    """A whole problem document of this status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == status
    assert told["title"]
    assert told["remedy"]
    assert "viewfarm-version" in answer.headers
    return told


ROUTES = [
    ("GET", "/v1/jobs"),
    ("POST", "/v1/jobs"),
    ("POST", "/v1/jobs/x/cancel"),
    ("DELETE", "/v1/jobs/x"),
    ("GET", "/v1/events"),
    ("POST", "/v1/assets/missing"),
    ("PATCH", f"/v1/assets/{HASH}/upload"),
    ("DELETE", "/v1/assets/unused"),
    ("GET", "/v1/datasets/x/archive"),
    ("GET", "/v1/workers"),
    ("GET", "/v1/whoami"),
    ("GET", "/v1/nothing"),
]


@pytest.mark.parametrize(("method", "path"), ROUTES)
@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        (None, "this needs a token, and the request has none"),
        ("Basic dXNlcjpwYXNz", "not of the form"),
        ("Bearer", "this needs a token, and the request has none"),
        ("Bearer nonsense", "the token is wrong: it is not known"),
        (f"Bearer farm_{'0' * 12}_{'x' * 43}", "the token is wrong: it is not known"),
        (f"Bearer farm_../../jobs_{'x' * 43}", "the token is wrong: it is not known"),
    ],
)
def test_nobody_gets_in_without_a_token(api, untouched, method, path, header, sentence):
    headers = {"Authorization": header} if header else {}

    told = problem(api.client(None).request(method, path, headers=headers), 401)

    assert sentence in told["detail"]
    assert "farm login" in told["remedy"]


@pytest.mark.parametrize(
    ("role", "method", "path"),
    [
        ("read", "POST", "/v1/jobs"),
        ("read", "POST", f"/v1/jobs/{JOB}/cancel"),
        ("read", "PATCH", f"/v1/jobs/{JOB}"),
        ("read", "PATCH", f"/v1/assets/{HASH}/upload"),
        ("read", "POST", "/v1/assets/missing"),
        ("read", "DELETE", f"/v1/jobs/{JOB}"),
        ("read", "DELETE", "/v1/assets/unused"),
    ],
)
def test_a_role_that_is_not_enough_is_told_which_one_is(api, untouched, role, method, path):
    told = problem(api.client(role).request(method, path, content=b"{"), 403)

    assert "needs a token with the role submit" in told["detail"]
    assert "--role submit" in told["remedy"]


def test_a_token_knows_who_it_is_and_a_revoked_one_is_refused(api):
    token, info = api.services.tokens.create("for a while", "read")
    client = api.client(None)
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get("/v1/whoami", headers=headers).json() == info.model_dump()

    api.services.tokens.revoke(info.token_id)

    problem(client.get("/v1/whoami", headers=headers), 401)


def test_the_secret_of_a_token_is_on_no_disk_and_in_no_log(api, caplog):
    caplog.set_level("DEBUG")
    assert api.client("admin").get("/v1/whoami").status_code == 200
    problem(api.client("admin").get("/v1/jobs/none"), 404)

    for token in api.tokens.values():
        secret = token.split("_", 2)[2]
        assert secret not in caplog.text
        for key in api.storage.keys("auth"):
            assert secret.encode() not in api.storage.get(key)


def change(path, value):
    """Return a submission with the one field at `path` changed."""
    sent = copy.deepcopy(body(a_submission()))
    *way, last = path.split(".")
    place = sent
    for step in way:
        place = place[int(step) if step.isdigit() else step]
    place[int(last) if last.isdigit() else last] = value
    return sent


WRONG = {
    "render.resolution: 20000 is more than 8192": ("spec.render.resolution", 20000),
    "recipe.yaw: 0 is less than 1": ("spec.recipe.yaw", 0),
    "colour: is not a field": ("spec.colour", "red"),
    "of them; did you mean 'passes'?": ("spec.pases", ["rgb"]),
    "; did you mean 'mask'?": ("spec.passes", ["rgb", "masks"]),
    "name: 'last' stands for the job that was submitted last": ("name", "last"),
    f"name: '{'0' * 12}' looks like the id of a job": ("name", "0" * 12),
    "name: a job's name is 1 to 80 printable characters": ("name", "a\nb"),
    "dataset_name: '../x' cannot be a folder's name": ("spec.dataset_name", "../x"),
    "seed: 'x' is not a whole number": ("spec.seed", "x"),
    "priority: 1000 is more than 100": ("priority", 1000),
    "passes: events: views of the recipe sod": ("spec.passes", ["rgb", "events"]),
    "is empty; name at least one": ("assets", []),
    "models.0.name: '../chair.blend' is not a plain file name": ("assets.0.name", "../chair.blend"),
    "models.0.name: 'a/chair.blend' is not a plain": ("assets.0.name", "a/chair.blend"),
    "models.0.name: 'chair\\n.blend' is not a plain": ("assets.0.name", "chair\n.blend"),
    "models.0.name: 'chair.exe' does not end in": ("assets.0.name", "chair.exe"),
    "models.0.path: must be the file name of a library asset": ("assets.0.path", "/etc/passwd"),
    "models.0.id: '../chair' is not 1 to 80": ("assets.0.id", "../chair"),
    "models.0.id: ''": ("assets.0.id", ""),
    "models.0.kind: 'hdr' is not 'model'": ("assets.0.kind", "hdr"),
    "models.0.name: 'sky.hdr' does not end in": ("assets.0.name", "sky.hdr"),
    "models: 0 is too few; the recipe needs 1": ("assets", body(a_submission())["assets"][1:]),
    "hdrs: 0 is too few; the recipe needs 1": ("assets", body(a_submission())["assets"][:1]),
    "assets: 'scenes' is not a role of sod: models, hdrs": ("assets.0.role", "scenes"),
    "models.0.sha256: 'x' is not a SHA-256": ("assets.0.sha256", "x"),
    "models.0.size_bytes: -1": ("assets.0.size_bytes", -1),
    f"chair.blend: chair.blend is not in the library (sha256 {HASH}": ("assets.0.sha256", HASH),
    "chair.blend: chair.blend has 7 bytes in the library, not 8": ("assets.0.size_bytes", 8),
    "models.0.credit: a field has more": ("assets.0.credit.author", "x" * 3000),
    "models.0.dependencies.0.path: '/etc/passwd'": ("assets.0.dependencies", [
        {"path": "/etc/passwd", "sha256": HASH, "size_bytes": 1}]),
    "models.0.dependencies.0.path: 'a/../../x.png'": ("assets.0.dependencies", [
        {"path": "a/../../x.png", "sha256": HASH, "size_bytes": 1}]),
    "models.0.dependencies.0.path: '..'": ("assets.0.dependencies", [
        {"path": "..", "sha256": HASH, "size_bytes": 1}]),
    "models.0.dependencies.0.path: 'chair.blend' occurs twice": ("assets.0.dependencies", [
        {"path": "chair.blend", "sha256": HASH, "size_bytes": 1}]),
    "chair.blend: ../wood.png is not in the library": ("assets.0.dependencies", [
        {"path": "../wood.png", "sha256": HASH, "size_bytes": 1}]),
    "makes 1,800 tasks; this farm takes at most 1,000": ("spec.recipe", {"yaw": 40, "pitch": 90}),
    "dataset_name: 'a\\nb' is not a plain path": ("spec.dataset_name", "a\nb"),
    "dataset_name: 'a/.records' is not a plain path": ("spec.dataset_name", "a/.records"),
    "too long": ("spec.dataset_name", "{model}" * 16 + "x" * 8),
}  # fmt: skip


@pytest.mark.parametrize("sentence", WRONG)
def test_a_submission_that_is_wrong_is_told_where(api, untouched, sentence):
    sent = change(*WRONG[sentence])
    if sentence == "too long":
        sent["assets"][0]["id"] = "m" * 80

    told = problem(api.client("submit").post("/v1/jobs", json=sent), 422)

    assert sentence in told["detail"]


def test_only_fields_of_a_spec_are_taken_for_slips_of_those(api, untouched):
    sent = change("pases", ["rgb"])

    told = problem(api.client("submit").post("/v1/jobs", json=sent), 422)

    assert "pases: is not a field" in told["detail"]
    assert "did you mean" not in told["detail"]


def test_a_state_that_jobs_do_not_have_is_told_with_the_one_that_was_meant(api):
    told = problem(api.client("read").get("/v1/jobs", params={"state": "runing"}), 422)

    assert told["detail"].startswith("state: 'runing' is not one of 'queued', ")
    assert told["detail"].endswith("; did you mean 'running'?")


def test_two_assets_of_one_name_are_told_apart_or_refused(api, untouched):
    sent = body(a_submission())
    sent["assets"].append(sent["assets"][0] | {"id": "CHAIR"})

    told = problem(api.client("submit").post("/v1/jobs", json=sent), 422)

    assert "models: 2 assets have the id 'chair'" in told["detail"]


def test_a_grid_whose_datasets_would_be_one_is_refused(api, untouched):
    sent = body(a_submission(dataset_name="all"))
    other = asset("hdr", "other.exr", HDR)
    sent["assets"].append(other.model_dump(mode="json"))

    told = problem(api.client("submit").post("/v1/jobs", json=sent), 422)

    assert "include {model} and {hdr} in it" in told["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "/srv/assets/../secret/x.blend",
        "relative.blend",
        "/srv/assets",
        "/srv/assetsx/x.blend",
    ],
)
def test_only_shared_folders_may_be_named_without_an_upload(api, untouched, path):
    sent = change("assets.0.path", path)
    sent["assets"][0]["in_library"] = False

    told = problem(api.client("submit").post("/v1/jobs", json=sent), 403)

    assert "FARM_SHARED_STORAGE" in told["remedy"]


def test_a_dependency_does_not_lead_out_of_the_shared_folder(api, untouched):
    sent = change("assets.0.path", "/srv/assets/chair.blend")
    sent["assets"][0] |= {
        "in_library": False,
        "dependencies": [{"path": "../secret.png", "sha256": HASH, "size_bytes": 1}],
    }

    told = problem(api.client("submit").post("/v1/jobs", json=sent), 403)

    assert "/srv/assets/../secret.png" in told["detail"]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{", 422),
        (b"[]", 422),
        (b'"x"', 422),
        (b"", 422),
        (b"{}", 422),
        (b'{"priority": NaN}', 422),
        (b"\xff\xfe", 422),
        (b"[" * 100_000, 400),
        (b'{"priority": ' + b"1" * 5000 + b"}", 400),
    ],
)
def test_a_body_that_is_no_submission_is_told_so(api, untouched, content, status):
    client = api.client("submit")
    headers = {"Content-Type": "application/json"}

    problem(client.post("/v1/jobs", content=content, headers=headers), status)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("spec.output", "output: '\\ud800x' is not valid Unicode; rename it"),
        ("spec.models.0", "models: '\\ud800x' is not valid Unicode; rename it"),
        ("assets.0.credit.author", "a text in it is not valid Unicode"),
    ],
)
def test_half_a_character_is_no_text(api, untouched, path, sentence):
    sent = json.dumps(change(path, "\ud800x"))
    headers = {"Content-Type": "application/json"}

    told = problem(api.client("submit").post("/v1/jobs", content=sent, headers=headers), 422)

    assert told["detail"] == sentence


def test_a_body_must_say_that_it_is_json(api, untouched):
    sent = json.dumps(body(a_submission()))

    told = problem(api.client("submit").post("/v1/jobs", content=sent), 422)

    assert "Content-Type: application/json" in told["detail"]


def chunks(total, size=100_000):
    """A body that does not say how long it is."""
    for _ in range(total // size):
        yield b" " * size


@pytest.mark.parametrize(
    ("method", "path", "size"),
    [
        ("POST", "/v1/jobs", 1_000_000),
        ("POST", "/v1/assets/missing", 3_000_000),
        ("PATCH", f"/v1/assets/{HASH}/upload", 20_000_000),
    ],
)
@pytest.mark.parametrize("announced", [True, False])
def test_a_body_that_is_too_large_is_refused_while_it_comes(
    api, untouched, method, path, size, announced
):
    content = b" " * size if announced else chunks(size)
    headers = {"Upload-Offset": "0", "Upload-Length": str(size), "Content-Type": "application/json"}

    told = problem(
        api.client("submit").request(method, path, content=content, headers=headers), 413
    )

    assert "larger than" in told["detail"] or "takes" in told["detail"]


def test_bytes_of_another_hash_are_not_kept(api, untouched):
    data = b"not what the path says"
    headers = {"Upload-Offset": "0", "Upload-Length": str(len(data))}

    told = problem(
        api.client("submit").patch(f"/v1/assets/{HASH}/upload", content=data, headers=headers), 422
    )

    assert hashlib.sha256(data).hexdigest() in told["detail"]
    assert "from its beginning" in told["remedy"]


@pytest.mark.parametrize("name", ["x", "..%2f..%2fauth", "0" * 63, "A" * 64])
def test_a_file_whose_name_is_no_hash_is_refused(api, untouched, name):
    headers = {"Upload-Offset": "0", "Upload-Length": "1"}
    answer = api.client("submit").patch(f"/v1/assets/{name}/upload", content=b"x", headers=headers)

    problem(answer, 404 if "%2f" in name else 422)


@pytest.mark.parametrize("offset", ["5", "-1", "x", None])
def test_an_offset_that_is_not_where_the_file_ends_is_refused(api, untouched, offset):
    headers = {"Upload-Length": "10"} | ({"Upload-Offset": offset} if offset else {})

    answer = api.client("submit").patch(f"/v1/assets/{HASH}/upload", content=b"x", headers=headers)

    told = problem(answer, 409 if offset == "5" else 422)
    assert told["detail"]
    if offset == "5":
        assert told["remedy"] == "continue from byte 0"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/jobs/none",
        f"/v1/jobs/{JOB}",
        f"/v1/jobs/{JOB}:states",
        f"/v1/jobs/{JOB}/tasks",
        f"/v1/jobs/{JOB}/tasks/0/log",
        f"/v1/datasets/{JOB}/files",
        f"/v1/datasets/{JOB}/files/a.png",
        f"/v1/datasets/{JOB}/preview",
        f"/v1/datasets/{JOB}/archive",
        f"/v1/events?job={JOB}",
        "/v1/nothing",
    ],
)
def test_what_is_not_there_is_said_so(api, untouched, path):
    problem(api.client("admin").get(path), 404)


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "limit=x", "cursor=x", "state=x"],
)
def test_a_page_that_nobody_can_mean_is_refused(api, query):
    told = problem(api.client("read").get(f"/v1/jobs?{query}"), 422)

    assert told["detail"].startswith(query.partition("=")[0])


@pytest.mark.parametrize(
    "path",
    [
        "../../auth/x.json",
        "%2e%2e/%2e%2e/auth/x",
        "a/%2e%2e/%2e%2e/x",
        "/etc/passwd",
        "a%00b",
        ".records/x.jsonl",
    ],
)
def test_a_path_never_leads_out_of_the_dataset(api, path):
    """As raw as they come: a client would tidy them up."""
    status = api.client("submit").post("/v1/jobs", json=body(a_submission())).json()
    job_id = status["job_id"]
    connection = http.client.HTTPConnection("127.0.0.1", api.port)
    connection.request(
        "GET",
        f"/v1/datasets/{job_id}/files/{path}",
        headers={"Authorization": f"Bearer {api.tokens['read']}"},
    )
    answer = connection.getresponse()

    assert answer.status in (404, 422), answer.read()
    assert answer.headers["content-type"] == "application/problem+json"
    connection.close()
    api.client("admin").post(f"/v1/jobs/{job_id}/cancel")
    api.ledger.settle(job_id)
    assert api.client("admin").delete(f"/v1/jobs/{job_id}").status_code == 200


def test_health_metrics_and_docs_need_no_token(api):
    client = api.client(None)

    assert client.get("/health").text == "redis: ok\nstorage: ok\n"
    assert 'farm_jobs{state="running"} 0.0' in client.get("/metrics").text
    assert client.get("/docs").status_code == 200
    assert client.get("/openapi.json").json()["info"]["title"] == "Viewfarm"


def test_a_redis_that_is_away_is_a_problem_and_no_mistake(tmp_path, redis_server):
    with ApiServer("redis://127.0.0.1:1/0", tmp_path) as server:
        told = problem(server.client("read").get("/v1/jobs"), 503)
        health = server.client(None).get("/health")
        metrics = server.client(None).get("/metrics")

    assert told["detail"] == "Redis cannot be reached"
    assert (health.status_code, health.text) == (
        503,
        "redis: Redis cannot be reached\nstorage: ok\n",
    )
    assert "farm_redis_up 0.0" in metrics.text


def test_the_docs_load_nothing_from_elsewhere(api):
    client = api.client(None)

    for page in ("/docs", "/redoc"):
        text = client.get(page).text
        links = re.findall(r'(?:src|href)="([^"]+)"', text)
        assert links
        assert "//" not in "".join(links)
        assert all(client.get(link).status_code == 200 for link in links)
