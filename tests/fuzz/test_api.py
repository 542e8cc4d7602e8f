"""Whatever a client sends: the answer is one that the API's own schema knows, and never a 500."""

from __future__ import annotations

import json
import socket
from urllib.parse import quote

import pytest
import schemathesis
from hypothesis import given
from hypothesis import strategies as st
from schemathesis.checks import CHECKS, load_all_checks

from tests.fuzz.effort import fuzz
from tests.fuzz.strange import trees, words

ENDLESS = "/v1/events"
ROLES = (None, "read", "submit", "admin")

load_all_checks()
SEMANTIC = CHECKS.get_one("positive_data_acceptance")
"""A schema cannot say all that a submission must be; a 422 says the rest."""


def operations(served):
    schema = schemathesis.openapi.from_url(f"{served.api.url}/openapi.json")
    found = [result.ok() for result in schema.get_all_operations()]
    return [operation for operation in found if operation.path != ENDLESS]


def known_values(served):
    return {
        "job_id": served.job_id,
        "sha256": served.sha256,
        "path": "chair_studio/views.jsonl",
        "index": 1,
    }


@pytest.mark.slow
def test_every_operation_answers_as_its_schema_says(served):
    for operation in operations(served):
        for role in (None, "admin"):
            throw_at(served, operation, role)

    served.is_well()


def throw_at(served, operation, role):
    token = {"Authorization": f"Bearer {served.api.tokens[role]}"} if role else {}

    @fuzz(0.125)
    @given(case=operation.as_strategy(), known=st.booleans())
    def ask(case, known):
        for name, value in known_values(served).items() if known else ():
            if name in case.path_parameters:
                case.path_parameters[name] = value
        if case.method == "DELETE":
            case.query["dry_run"] = "true"
        case.call_and_validate(headers=token, timeout=60, excluded_checks=[SEMANTIC])

    ask()


@st.composite
def requests(draw):
    """A request line, headers and a body, as bytes: what no well-behaved client sends."""
    method = draw(st.sampled_from(["GET", "POST", "PATCH", "DELETE", "PUT", "HEAD", "TRACE", "X"]))
    word = st.sampled_from(["JOB", "HASH", "chair_studio", "1", "last"]) | words
    base = draw(st.sampled_from(PATHS))
    path = base.replace("*", "{}").format(*(slashless(draw(word)) for _ in range(base.count("*"))))
    names = st.sampled_from(
        ["cursor", "limit", "state", "attempt", "dry_run", "validate_only", "x"]
    )
    query = "&".join(
        f"{name}={slashless(value)}"
        for name, value in draw(st.lists(st.tuples(names, word), max_size=3))
    )
    headers = draw(st.dictionaries(st.sampled_from(HEADERS), st.sampled_from(HEADER_VALUES)))
    body = draw(st.binary(max_size=200) | trees().map(lambda data: json.dumps(data).encode()))
    return method, f"{path}?{query}" if query else path, headers, body


PATHS = ("/", "/docs", "/health", "/v1", "/v1/jobs", "/v1/jobs/*", "/v1/jobs/*/cancel",
         "/v1/jobs/*/tasks", "/v1/jobs/*/tasks/*", "/v1/jobs/*/tasks/*/log", "/v1/assets",
         "/v1/assets/missing", "/v1/assets/*/upload", "/v1/datasets", "/v1/datasets/*/files",
         "/v1/datasets/*/files/*", "/v1/datasets/JOB/files/chair_studio/*",
         "/v1/datasets/*/preview", "/v1/datasets/*/archive", "/v1/datasets/*/views",
         "/v1/events?job=*", "/v1/whoami", "/*")  # fmt: skip
HEADERS = ("Range", "Upload-Offset", "Upload-Length", "Content-Type", "Accept", "Host", "Cookie",
           "Transfer-Encoding", "Expect", "If-Range", "X-Forwarded-For", "Origin")  # fmt: skip
HEADER_VALUES = ("", "-1", "0", "5", "NaN", "1e9", "9" * 40, "9" * 5000, "+5", "0x10", "bytes=0-",
                 "bytes=-1", "bytes=5-2", "bytes=0-0,2-3", "bytes=99999999999999999999-",
                 "bytes=a-b", "application/json", "application/json; charset=utf-16", "\xff\xfe",
                 "multipart/form-data", "100-continue", "a" * 20_000, "bytes=-0", "٣")  # fmt: skip


def slashless(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def converse(port: int, data: bytes) -> bytes:
    """Send bytes, say that no more come, and return all that is answered."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        answer = b""
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            while piece := connection.recv(1 << 16):
                answer += piece
        except ConnectionError:  # refused while it was still sent
            pass
        return answer


@pytest.mark.slow
@fuzz(4)
@given(request=requests(), role=st.sampled_from(ROLES), chunked=st.booleans())
def test_strange_requests_are_refused_with_a_problem_document(served, request, role, chunked):
    method, path, headers, body = request
    path = path.replace("JOB", served.job_id).replace("HASH", served.sha256)
    if method == "DELETE":
        path = path.partition("?")[0] + "?dry_run=true"
    lines = [f"{method} {path} HTTP/1.1", "Connection: close"]
    if role:
        lines.append(f"Authorization: Bearer {served.api.tokens[role]}")
    if chunked:
        lines.append("Transfer-Encoding: chunked")
        body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    else:
        lines.append(f"Content-Length: {len(body)}")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")

    answer = converse(served.api.port, head + body)

    told, _, rest = answer.partition(b"\r\n\r\n")
    status = int(told.split()[1]) if told else 0
    assert status < 500, answer
    if status >= 400 and b"viewfarm-version" in told.lower() and path.startswith("/v1/"):
        assert b"content-type: application/problem+json" in told.lower()
        if method != "HEAD":
            assert json.loads(rest)["remedy"]
    assert served.complaints.said == []


@pytest.mark.slow
@fuzz(2)
@given(data=st.binary(max_size=300) | st.sampled_from([
    b"GET / HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
    b"GET / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n{",
    b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{",
    b"POST /v1/jobs HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{\r\n",
    b"POST /v1/jobs HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n{\r\n",
    b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    b"GET / HTTP/9.9\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01",
    b"CONNECT x:1 HTTP/1.1\r\n\r\n", b"OPTIONS * HTTP/1.1\r\n\r\n",
    b"GET http://other/v1/jobs HTTP/1.1\r\nHost: other\r\n\r\n",
    b"GET /v1/events HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
]))  # fmt: skip
def test_bytes_that_are_no_http_do_not_hurt_the_server(served, data):
    answer = converse(served.api.port, data)

    assert b" 500 " not in answer[:20]
    served.is_well()


@pytest.mark.parametrize("path", ["chair_studio", "chair_studio/images", "a" * 300, "é" * 500])
def test_what_is_no_file_of_a_dataset_is_not_there(served, path):
    answer = served.api.client("read").get(f"/v1/datasets/{served.job_id}/files/{path}")

    assert answer.status_code == 404, answer.text
    served.is_well()


@pytest.mark.parametrize(
    "cursor", ["nan:0123456789ab", "inf:x", "1e400:", "1_0:0123456789ab", "٣:x"]
)
def test_a_cursor_of_the_jobs_that_is_none_is_refused(served, cursor):
    answer = served.api.client("read").get("/v1/jobs", params={"cursor": cursor})

    assert answer.status_code == 422
    assert answer.json()["detail"] == "cursor: this server did not issue it"


@pytest.mark.parametrize("content", ['{"priority": ' + "9" * 5000 + "}", "[" * 100_000])
def test_json_that_python_does_not_read_is_told_so(served, content):
    headers = {"Content-Type": "application/json"}

    answer = served.api.client("submit").patch(
        f"/v1/jobs/{served.job_id}", content=content, headers=headers
    )

    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("the body is JSON that cannot be read")


def test_what_needs_no_token_does_not_ask_for_one(served):
    paths = served.api.client(None).get("/openapi.json").json()["paths"]

    asking = {path: "security" in verb for path, verbs in paths.items() for verb in verbs.values()}
    assert [path for path, asks in asking.items() if not asks] == ["/health", "/metrics"]
