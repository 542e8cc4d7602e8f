import socket
import ssl
import threading

import pytest

from farm.client import Client, connection
from farm.client.connection import Relogin
from farm.client.events import follow
from farm.client.home import Login
from farm.client.text import printable
from farm.errors import LoginError, NotFoundError, RequestRefusedError, UnreachableError
from farm.spec.job import JobSpec
from tests.unit.client.small_farm import TOKEN, SmallFarm, a_job_info

JOB = "0123456789ab"


@pytest.fixture
def free_url():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"  # bound, and nobody listens


def test_the_farm_says_who_we_are(client):
    assert client.whoami().name == "ada"


def test_a_wrong_token_is_said_with_the_remedy(small, home):
    with Client(small.url, "wrong", home=home) as client, pytest.raises(LoginError) as caught:
        client.whoami()

    assert str(caught.value) == (
        f"the farm at {small.url} does not let you in: the token is wrong; do otherwise"
    )


def test_a_farm_that_is_away_is_said_once_it_is_hopeless(free_url, home):
    notes = []

    def note(sentence):
        notes.append(sentence)
        client.connection.patience_s = 0.0 if len(notes) == 2 else 120.0

    with Client(free_url, TOKEN, home=home, patience_s=120.0, note=note) as client:
        client.connection.first_wait_s = 0.01
        with pytest.raises(UnreachableError, match=r"does not answer .*is the farm up"):
            client.whoami()

    assert len(notes) == 2
    assert all(note.endswith("; trying again") for note in notes)


def test_a_farm_that_comes_back_is_not_given_up(small, client):
    small.trouble = [(503, {}), (500, {}), (429, {"Retry-After": "0"})]

    assert client.whoami().name == "ada"
    assert len(small.requests) == 4


def test_a_refusal_is_not_tried_again_and_says_the_remedy(small, client):
    small.trouble = [(403, {})]

    with pytest.raises(RequestRefusedError, match="not now; do otherwise") as caught:
        client.whoami()

    assert caught.value.status == 403
    assert len(small.requests) == 1


def test_a_server_that_is_no_farm_is_told_apart(home):
    class Other(SmallFarm):
        pass

    with Other() as other, Client(other.url, TOKEN, home=home) as client:
        other.server.RequestHandlerClass.json = lambda self, _data: self.send(
            200, b"<html>", kind="text/html", headers={"Viewfarm-Version": ""}
        )
        with pytest.raises(RequestRefusedError, match="version"):
            client.whoami()


def test_another_version_names_both(small, client, monkeypatch):
    small.version = "9.0.0"
    handler = small.server.RequestHandlerClass
    monkeypatch.setattr(handler, "json", lambda self, _data: self.send(200, b'{"who": "me"}'))

    with pytest.raises(RequestRefusedError, match=r"has version 9\.0\.0 .* this one, \d"):
        client.whoami()


def test_a_redirect_is_not_followed_with_the_token(small, client):
    small.trouble = [(302, {"Location": "https://evil.example/\x1b[2J".replace("\x1b", "%1b")})]

    with pytest.raises(RequestRefusedError, match=r"redirects to https://evil\.example"):
        client.whoami()


def test_a_server_without_tls_is_told_apart_from_one_that_is_away(small, home):
    url = small.url.replace("http:", "https:")
    with (
        Client(url, TOKEN, home=home, patience_s=0.0) as client,
        pytest.raises(UnreachableError, match=r"no secure connection: .*plain http") as raised,
    ):
        client.whoami()
    assert str(raised.value).endswith(f"its address is {small.url}")


def test_a_certificate_that_nobody_signed_is_refused(home, tmp_path):
    certificate = pytest.importorskip("tests.unit.client.certificate")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.write(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=certificate.greet, args=(server, context))
        thread.start()
        with (
            Client(f"https://127.0.0.1:{server.getsockname()[1]}", TOKEN, home=home) as client,
            pytest.raises(UnreachableError, match=r"self.signed.*SSL_CERT_FILE"),
        ):
            client.whoami()
        thread.join()


def test_words_of_the_server_cannot_steer_a_terminal(small, client):
    with pytest.raises(NotFoundError) as caught:
        client.connection.text("/v1/datasets/x/files/%1b]0;title%07%E2%80%AEcod.exe")

    assert str(caught.value).isprintable()
    assert "\\x1b]0;title\\x07\\u202ecod.exe" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("stühle 🪑", "stühle 🪑"),
        ("a\x1b[31m\x9b2J\r\n", "a\\x1b[31m\\x9b2J\\r\\n"),
        ("\u202eevil\u2066", "\\u202eevil\\u2066"),
        ("[bold]markup[/]", "[bold]markup[/]"),
    ],
)
def test_what_steers_a_terminal_is_written_out(text, shown):
    assert printable(text) == shown


def test_some_control_characters_may_stay():
    assert printable("a\n\tb\x07", keep="\n\t") == "a\n\tb\\x07"


def test_a_job_is_found_by_id_start_name_and_as_the_last(small, client, home):
    for job_id, name in (("0123456789ab", "chairs"), ("01ffffffffff", "tables"), ("a" * 12, "x")):
        small.jobs[job_id] = a_job_info(job_id, name=name)
    home.save_last_job(small.url, "a" * 12)

    assert client.job("01ffffffffff").name == "tables"
    assert client.job("012").job_id == "0123456789ab"
    assert client.job("tables").job_id == "01ffffffffff"
    assert client.job("last").name == "x"
    with pytest.raises(NotFoundError, match=r"may mean 2 jobs \(0123456789ab, 01ffffffffff\)"):
        client.job("01")
    with pytest.raises(NotFoundError, match=r"there is no job 'sofas'; `farm jobs` lists them$"):
        client.job("sofas")
    with pytest.raises(NotFoundError, match="there is no job ''"):
        client.job("")


def test_all_pages_of_a_list_are_read(small, client):
    for number in range(5):
        small.jobs[f"{number:012x}"] = a_job_info(f"{number:012x}", state="paused")

    assert len(list(client.jobs())) == 5
    assert list(client.jobs(state="running")) == []


@pytest.mark.parametrize(
    ("left_s", "words"), [(9 * 86_400, "9 days"), (3600, "1 hour"), (0, "0 s")]
)
def test_a_token_that_expires_soon_is_told_once(small, home, left_s, words):
    small.expires_in_s = left_s
    notes = []
    with Client(small.url, TOKEN, home=home, note=notes.append) as client:
        client.whoami()
        client.whoami()

    (note,) = notes
    assert note.startswith(f"your token for {small.url} expires in {words}")


@pytest.mark.parametrize("left_s", [15 * 86_400, None])
def test_a_token_with_time_left_is_not_spoken_of(small, home, left_s):
    small.expires_in_s = left_s
    notes = []
    with Client(small.url, TOKEN, home=home, note=notes.append) as client:
        client.whoami()

    assert notes == []


@pytest.fixture
def patient(small, home, monkeypatch):
    """A client of a remembered login, which waits for another one."""
    monkeypatch.setattr(connection, "LOGIN_EVERY_S", 0.001)
    home.save_login(Login(small.url, TOKEN))
    with Client(home=home, login_patience_s=60.0) as client:
        yield client


def log_in(client, small, token):
    """Return what a user does who reads a note: log in, once."""

    def read(note):
        client.notes.append(note)
        client.home.save_login(Login(small.url, token))

    client.notes = []
    client.connection.note = read


def test_a_watch_continues_with_another_login(small, patient):
    log_in(patient, small, "another-token")
    small.jobs[JOB] = a_job_info(views_done=1)
    seen = []
    for job in follow(patient.connection, JOB, poll_every_s=0.001):
        seen.append(job.views_done)
        if len(seen) == 2:
            small.token = "another-token"
        if len(seen) == 4:
            small.jobs[JOB] = a_job_info(views_done=40, state="completed")

    assert seen == [1, 1, 1, 1, 40]
    (note,) = patient.notes
    assert "does not let you in" in note
    assert note.endswith("this continues once that is done")


def test_a_download_continues_with_another_login_and_loses_nothing(small, patient, tmp_path):
    log_in(patient, small, "another-token")
    small.jobs[JOB] = a_job_info()
    for number in range(20):
        small.add_file(f"a/{number}.png", bytes(5000 + number))
    small.page = 3

    def received(_size):
        small.token = "another-token"

    summary = patient.download(JOB, tmp_path / "out", received=received, threads=4)

    assert (summary.fetched, summary.failures) == (20, [])
    assert len(patient.notes) == 1


def test_an_upload_continues_with_another_login(small, patient, models):
    log_in(patient, small, "another-token")
    small.page = 2
    order = patient.prepare(
        JobSpec(models=("chair.obj", "table.stl"), hdrs=("sky.hdr",)), base=models
    )

    def sent(_size):
        small.token = "another-token"

    patient.upload(order, patient.missing(order), sent=sent)

    assert patient.missing(order) == []


def test_a_login_that_nobody_renews_is_an_error_in_the_end(small, patient):
    patient.connection.relogin = Relogin(patient.home.stored_login, patience_s=0.0)
    patient.whoami()
    small.token = "another-token"

    with pytest.raises(LoginError, match="does not let you in"):
        patient.whoami()


def test_a_login_to_another_farm_is_not_sent_to_this_one(small, patient):
    patient.connection.relogin = Relogin(patient.home.stored_login, patience_s=0.05)
    patient.whoami()
    small.token = "another-token"
    patient.home.save_login(Login("http://127.0.0.1:1", "another-token"))

    with pytest.raises(LoginError):
        patient.whoami()


def test_a_token_of_the_environment_is_not_replaced(small, home, monkeypatch):
    monkeypatch.setenv("FARM_TOKEN", TOKEN)
    home.save_login(Login(small.url, "another-token"))
    with Client(home=home, login_patience_s=60.0) as client:
        client.whoami()
        small.token = "another-token"

        with pytest.raises(LoginError):
            client.whoami()


def test_a_token_that_never_was_good_is_not_waited_for(small, home):
    home.save_login(Login(small.url, "wrong"))
    with Client(home=home, login_patience_s=60.0) as client, pytest.raises(LoginError):
        client.whoami()
