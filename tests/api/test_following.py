"""Following a lot, from the form to the letter: a real mail server and a real endpoint, both on loopback."""

import json
import logging
import re
import ssl
import time
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api.letters import handlers, mail_of
from api.mail import Mail, Undelivered
from api.main import create_app
from api.settings import Settings
from api.webhooks import Webhooks, proof_of_secret
from api.worker import run
from domain.certificates.following import Channel
from domain.certificates.letters import Letter
from domain.certificates.look_up import lot_of_certificate
from domain.disposition.decisions import HoldLot, RecallLot, hold_lot, recall_lot
from domain.jobs import run_one
from domain.store import reading
from domain.work import Site
from tests import build
from tests.cast import Clock, act, credentials, raw
from tests.endpoints import Endpoint, Post, certificate_for, endpoint, free_port, post_office
from tests.stages import LOT

pytestmark = pytest.mark.stage("in_review")

CLINIC = "pharmacy@clinic.example"
PAGE = {"accept": "text/html", "accept-language": "en"}
FOLLOWERS = f"/api/v1/public/lots/{LOT}/followers"


@pytest.fixture(params=["sqlite"])
def databases(request: pytest.FixtureRequest, _databases: Any) -> Any:
    """Letters are the same whatever engine queued them; the queue itself is tested on both."""
    return _databases(request.param)


@pytest.fixture
def post() -> Iterator[Post]:
    with post_office() as opened:
        yield opened


@pytest.fixture
def settings(post: Post) -> Settings:
    return Settings(
        smtp_url=f"smtp://127.0.0.1:{post.port}",
        mail_from="Quality <quality@maker.example>",
        webhooks_may_be_local=True,
        rate_follow="off",
    )


@pytest.fixture
def app(site: Site, settings: Settings) -> Any:
    build.released(site, LOT)
    return create_app(site, given=settings)


def works(site: Site, settings: Settings, hooks: Webhooks | None = None) -> int:
    """The worker does what is due."""
    return run(site, handlers(settings.mail(), hooks or Webhooks(settings.webhooks_may_be_local)), once=True)


def held(site: Site) -> None:
    act(site, "cleo", hold_lot, HoldLot(lot_number=LOT, reason="Mrs Example rang", credentials=credentials("cleo")))


def text_of(letter: EmailMessage) -> str:
    body = letter.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def link_in(letter: EmailMessage, what: str) -> str:
    found = re.search(rf"http://127\.0\.0\.1:8000(/{what}/\S+)", text_of(letter))
    assert found is not None, text_of(letter)
    return found[1]


# --- by mail ------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("URS-127", "URS-128", "URS-129")
def test_a_clinic_follows_a_lot_at_the_page_learns_of_a_hold_and_stops(
    site: Site, client: TestClient, settings: Settings, post: Post
) -> None:
    asked = client.post("/follow", data={"lot": LOT, "email": CLINIC}, headers=PAGE)
    assert (asked.status_code, asked.headers["cache-control"]) == (200, "no-store")
    assert "Please confirm" in asked.text
    assert CLINIC not in asked.text
    assert works(site, settings) == 0
    (question,) = post.taken
    assert (question["To"], question["From"]) == (CLINIC, "Quality <quality@maker.example>")
    assert question["Subject"] == f"Follow lot {LOT}: please confirm"
    confirm = link_in(question, "follow")
    looked = client.get(confirm, headers=PAGE)
    assert "Yes, follow the lot" in looked.text
    held_before = raw(site, "SELECT confirmed_at FROM follower")
    assert held_before == [(None,)], "looking at the link is not confirming it: mail filters open every link"
    confirmed = client.post(confirm, headers=PAGE)
    assert "The address follows the lot" in confirmed.text
    held(site)
    works(site, settings)
    letter = post.taken[-1]
    assert letter["Subject"] == f"Lot {LOT}: on hold"
    for told in (text_of(letter), letter.get_body(("html",)).get_content()):  # type: ignore[union-attr]
        assert "Do not use it" in told
        assert f"/c/{LOT}?lang=en" in told
        assert "Mrs Example" not in told
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert letter["Auto-Submitted"] == "auto-generated"
    ends = letter["List-Unsubscribe"].strip("<>").removeprefix("http://127.0.0.1:8000")
    client.get(ends, headers=PAGE)
    assert len(raw(site, "SELECT id FROM follower")) == 1
    one_click = client.post(ends, data={"List-Unsubscribe": "One-Click"})
    assert one_click.status_code == 200
    assert raw(site, "SELECT id FROM follower") == []
    assert "removed" in client.post(link_in(question, "unfollow"), headers=PAGE).text, "once more is no error"


def test_a_german_page_is_followed_by_german_letters(
    site: Site, client: TestClient, settings: Settings, post: Post
) -> None:
    client.post("/follow?lang=de", data={"lot": LOT, "email": CLINIC}, headers=PAGE)
    works(site, settings)
    client.post(link_in(post.taken[0], "follow"), headers=PAGE)
    act(
        site,
        "cleo",
        recall_lot,
        RecallLot(lot_number=LOT, recall_class="II", reason="seen", credentials=credentials("cleo")),
    )
    works(site, settings)
    recall = post.taken[-1]
    assert (recall["Subject"], recall["Content-Language"]) == (f"Charge {LOT}: ZURÜCKGERUFEN", "de")
    assert "Klasse II" in text_of(recall)
    assert site.profile.phone in text_of(recall)


@pytest.mark.requirement("URS-132")
def test_the_answer_is_the_same_whether_or_not_an_address_follows(
    site: Site, client: TestClient, settings: Settings, post: Post
) -> None:
    first = client.post("/follow", data={"lot": LOT, "email": CLINIC}, headers=PAGE)
    works(site, settings)
    client.post(link_in(post.taken[0], "follow"), headers=PAGE)
    again = client.post("/follow", data={"lot": LOT, "email": CLINIC}, headers=PAGE)
    assert (first.status_code, first.content) == (again.status_code, again.content)
    asked = [client.post(FOLLOWERS, json={"email": one}) for one in (CLINIC, "new@clinic.example")]
    assert {(one.status_code, one.content) for one in asked} == {(202, asked[0].content)}
    assert asked[0].json() == {"status": "confirm by the link in the letter", "secret": None, "unfollow_url": None}
    page = client.get(f"/c/{LOT}", headers=PAGE).text
    assert CLINIC not in page + client.get("/metrics").text


@pytest.mark.requirement("URS-127")
def test_a_lot_that_nobody_knows_cannot_be_followed_and_looks_as_ever(client: TestClient) -> None:
    unknown = client.get("/c/UEV26-0009", headers=PAGE)
    assert client.post("/follow", data={"lot": "UEV26-0009", "email": CLINIC}, headers=PAGE).content == unknown.content
    refused = client.post("/api/v1/public/lots/UEV26-0009/followers", json={"email": CLINIC})
    assert refused.json()["type"] == "/problems/no-certificate"


@pytest.mark.requirement("URS-131")
@pytest.mark.parametrize(
    "wrong", ["nobody", "Bob <b@clinic.example>", "a@clinic.example\nBcc: b@clinic.example", "a@clinic.example\x00", ""]
)
def test_an_address_that_cannot_be_one_is_said_to_be_wrong(client: TestClient, wrong: str) -> None:
    page = client.post("/follow", data={"lot": LOT, "email": wrong}, headers=PAGE)
    assert page.status_code == 422
    assert "This address cannot be used" in page.text
    assert client.post(FOLLOWERS, json={"email": wrong}).status_code == 422
    assert client.post(FOLLOWERS, json={}).status_code == 422
    assert client.post(FOLLOWERS, json={"email": CLINIC, "webhook": "https://hooks.example/"}).status_code == 422


@pytest.mark.requirement("URS-129")
def test_one_bad_address_holds_up_nobody_and_is_in_no_log_and_no_job(
    site: Site, client: TestClient, settings: Settings, post: Post, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for address in (CLINIC, "gone@clinic.example"):
        client.post("/follow", data={"lot": LOT, "email": address}, headers=PAGE)
    works(site, settings)
    for letter in post.taken:
        client.post(link_in(letter, "follow"), headers=PAGE)
    post.taken.clear()
    post.refuse["gone@clinic.example"] = "550 no such gone@clinic.example here"
    held(site)
    with caplog.at_level(logging.INFO):
        assert works(site, settings) == 1
        for _ in range(2):
            clock.advance(minutes=5)
            works(site, settings)
    assert [letter["To"] for letter in post.taken] == [CLINIC], "who was told is not told again"
    logged = " ".join(record.getMessage() for record in caplog.records if record.name.startswith("exolotl"))
    assert "550" in logged
    assert "clinic.example" not in logged + str(raw(site, "SELECT * FROM job"))
    del post.refuse["gone@clinic.example"]
    clock.advance(minutes=10)
    assert works(site, settings) == 0
    assert post.taken[-1]["To"] == "gone@clinic.example"


@pytest.mark.requirement("URS-127")
def test_a_link_works_for_two_days_and_a_made_up_one_never(
    site: Site, client: TestClient, settings: Settings, post: Post, clock: Clock
) -> None:
    client.post("/follow", data={"lot": LOT, "email": CLINIC}, headers=PAGE)
    works(site, settings)
    clock.advance(hours=49)
    late = client.post(link_in(post.taken[0], "follow"), headers=PAGE)
    assert (late.status_code, "can no longer be used" in late.text) == (404, True)
    for odd in ("x", "x" * 101, "%0a", "é", "%20"):
        assert client.post(f"/follow/{odd}", headers=PAGE).status_code == 404
        assert client.post(f"/unfollow/{odd}", headers=PAGE).status_code in (200, 404)
    works(site, settings)
    assert raw(site, "SELECT id FROM follower") == []


def test_without_a_mail_server_the_page_says_so_and_webhooks_still_work(site: Site) -> None:
    build.released(site, LOT)
    client = TestClient(create_app(site, given=Settings(rate_follow="off")))
    page = client.get(f"/c/{LOT}", headers=PAGE).text
    assert "This site sends no letters" in page
    assert 'name="email"' not in page
    assert client.post("/follow", data={"lot": LOT, "email": CLINIC}, headers=PAGE).status_code == 422
    assert client.post(FOLLOWERS, json={"email": CLINIC}).json()["type"] == "/problems/mail-not-set-up"
    assert client.post(FOLLOWERS, json={"webhook": "https://hooks.example/lots"}).status_code == 202


def test_mail_is_handed_in_over_tls_with_a_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = certificate_for("localhost", tmp_path)
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "quality@maker.example", CLINIC, "Lot"
    with post_office(certificate, ("user", "p@ss")) as post:
        mail = Mail.parse(f"smtp://user:p%40ss@localhost:{post.port}?starttls=1", "quality@maker.example")
        with pytest.raises(Undelivered, match="SSLCertVerificationError"):
            mail.send(message)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        mail.send(message)
        wrong = Mail.parse(f"smtp://user:guess@localhost:{post.port}?starttls=1", "quality@maker.example")
        with pytest.raises(Undelivered, match="535"):
            wrong.send(message)
    assert [letter["Subject"] for letter in post.taken] == ["Lot"]
    with pytest.raises(Undelivered, match="ConnectionRefusedError"):
        mail.send(message)


# --- by webhook ---------------------------------------------------------------------------------------------------


@pytest.fixture
def hook(tmp_path: Path) -> Iterator[Endpoint]:
    with endpoint(tmp_path) as opened:
        yield opened


def reaching(hook: Endpoint, *addresses: str, **more: Any) -> Webhooks:
    """Webhooks as in production, save that the one name leads to loopback."""
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return list(addresses or ("127.0.0.1",))

    return Webhooks(**{"may_be_local": True, "trusted": hook.trusted, "resolve": resolve, **more})


def follow_by(client: TestClient, hook: Endpoint) -> dict[str, str]:
    """An endpoint is registered, and is told its secret."""
    noted: dict[str, str] = client.post(FOLLOWERS, json={"webhook": hook.url}).json()
    hook.secrets.append(noted["secret"])
    return noted


@pytest.mark.requirement("URS-130")
def test_a_webhook_answers_the_challenge_and_gets_signed_messages(
    site: Site, client: TestClient, settings: Settings, hook: Endpoint
) -> None:
    noted = follow_by(client, hook)
    assert noted["secret"].startswith("whsec_")
    hooks = reaching(hook)
    assert works(site, settings, hooks) == 0
    (question,) = hook.told
    assert question["type"] == "follow.challenge"
    assert hook.signed_with(noted["secret"])
    held(site)
    works(site, settings, hooks)
    told = hook.told[-1]
    assert (told["type"], told["data"]["state"], told["data"]["usable"]) == ("lot.held", "on_hold", False)
    assert told["data"]["look_up_url"] == f"{site.profile.base_url}/c/{LOT}"
    assert hook.signed_with(noted["secret"])
    assert not hook.signed_with(f"whsec_{'A' * 43}=")
    assert "Mrs Example" not in str(hook.told)
    ends = noted["unfollow_url"].removeprefix(site.profile.base_url)
    assert client.post(ends).status_code == 200
    assert raw(site, "SELECT id FROM follower") == []


@pytest.mark.requirement("URS-130")
@pytest.mark.parametrize(
    "answer",
    [
        (200, b"", {}),
        (200, b'{"hmac": "guess"}', {}),
        (200, b"[1]", {}),
        (200, b'{"hmac": null}', {}),
        (500, b"", {}),
        (302, b"", {"location": "/elsewhere"}),
    ],
)
def test_an_endpoint_that_does_not_answer_the_challenge_follows_nothing(
    site: Site, client: TestClient, settings: Settings, hook: Endpoint, answer: Any
) -> None:
    hook.answer = lambda _said: answer
    client.post(FOLLOWERS, json={"webhook": hook.url})
    assert works(site, settings, reaching(hook)) == 1
    assert raw(site, "SELECT confirmed_at FROM follower") == [(None,)]
    assert len(hook.got) == 1, "a redirect is not followed"


@pytest.mark.requirement("URS-218")
def test_an_endpoint_that_sends_back_what_it_is_sent_follows_nothing_and_is_asked_three_times(
    site: Site, client: TestClient, settings: Settings, hook: Endpoint, clock: Clock
) -> None:
    """A stranger who names the address of an echo knows the secret; the echo does not."""

    def echo(said: dict[str, Any]) -> tuple[int, bytes, dict[str, str]]:
        challenge = said["data"]["challenge"]
        return 200, json.dumps({**said, "challenge": challenge, "hmac": challenge}).encode(), {}

    hook.answer = echo
    follow_by(client, hook)
    for _ in range(6):
        works(site, settings, reaching(hook))
        clock.advance(minutes=10)
    assert raw(site, "SELECT confirmed_at FROM follower") == [(None,)]
    assert len(hook.got) == 3


@pytest.mark.requirement("URS-219")
def test_a_recall_is_told_before_every_challenge_that_waits(
    site: Site, client: TestClient, settings: Settings, hook: Endpoint, post: Post
) -> None:
    client.post("/follow", data={"lot": LOT, "email": CLINIC}, headers=PAGE)
    works(site, settings)
    client.post(link_in(post.taken[0], "follow"), headers=PAGE)
    hook.answer = lambda _said: (200, str(len(post.taken)).encode(), {})
    for _ in range(3):
        follow_by(client, hook)
    client.post("/follow", data={"lot": LOT, "email": "new@clinic.example"}, headers=PAGE)
    held(site)
    first_of_all = run_one(site, handlers(settings.mail(), reaching(hook)))
    assert first_of_all is not None
    assert (post.taken[-1]["Subject"], hook.got) == (f"Lot {LOT}: on hold", [])


def test_the_example_in_the_documentation_is_right() -> None:
    said = (Path(__file__).parents[2] / "docs/following.md").read_text(encoding="utf-8")
    example = re.search(r'answer\("(whsec_\S+)", "(\w+)"\)\["hmac"\]\nassert said == "(\w+)"', said)
    assert example is not None
    assert proof_of_secret(example[1], example[2]) == example[3]


def test_an_endpoint_that_is_slow_to_answer_its_challenge_is_soon_left(
    site: Site, client: TestClient, settings: Settings, hook: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.letters.CHALLENGE_SECONDS", 0.2)
    hook.answer = lambda _said: (time.sleep(1), (200, b"{}", {}))[1]
    follow_by(client, hook)
    begun = time.monotonic()
    assert works(site, settings, reaching(hook)) == 1
    assert time.monotonic() - begun < 0.9, "messages about lots have more time"


@pytest.mark.requirement("URS-129", "URS-130")
def test_a_message_is_tried_again_under_the_same_id_and_an_endpoint_that_is_gone_is_forgotten(
    site: Site, client: TestClient, settings: Settings, hook: Endpoint, clock: Clock
) -> None:
    follow_by(client, hook)
    hooks = reaching(hook)
    works(site, settings, hooks)
    hook.answer = lambda _said: (503, b"", {})
    held(site)
    assert works(site, settings, hooks) == 1
    hook.answer = None
    clock.advance(minutes=1)
    assert works(site, settings, hooks) == 0
    first, second = (headers for headers, _ in hook.got[-2:])
    assert first["webhook-id"] == second["webhook-id"]
    assert first["webhook-timestamp"] != second["webhook-timestamp"]
    hook.answer = lambda _said: (410, b"", {})
    act(
        site,
        "cleo",
        recall_lot,
        RecallLot(lot_number=LOT, recall_class="III", reason="seen", credentials=credentials("cleo")),
    )
    assert works(site, settings, hooks) == 0
    assert raw(site, "SELECT id FROM follower") == []


@pytest.mark.requirement("URS-131")
@pytest.mark.parametrize(
    "inside",
    [
        "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "::ffff:10.0.0.1", "169.254.169.254", "fe80::1",
        "fe80::1%eth0", "100.64.0.1", "100.100.100.200", "fd00:ec2::254", "fc00::1", "fec0::1", "0.0.0.0", "::", "255.255.255.255", "224.0.0.1",
        "ff02::1", "168.63.129.16", "192.0.0.192", "64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1", "2001:db8::1", "240.0.0.1", "198.18.0.1",
    ],
)  # fmt: skip
def test_an_address_inside_is_refused_as_a_literal_and_behind_a_name(tmp_path: Path, inside: str) -> None:
    literal = f"[{inside.partition('%')[0]}]" if ":" in inside else inside
    with pytest.raises(Exception, match="inside a network"):
        Webhooks().accept(f"https://{literal}/")
    for names in ([inside], ["93.184.215.14", inside]):
        reached = Webhooks(resolve=lambda _host, _port, found=names: list(found))  # type: ignore[misc]
        with pytest.raises(Undelivered, match="inside"):
            reached.send("https://rebind.example/", "whsec_AAAA", "msg_1", {}, Clock()())


@pytest.mark.requirement("URS-131")
@pytest.mark.parametrize("literal", ["127.1", "0x7f000001", "2130706433", "localhost", "127.0.0.1.", "0177.0.0.1"])
def test_an_address_inside_written_in_an_odd_way_is_no_way_in(literal: str) -> None:
    with pytest.raises(Undelivered):
        Webhooks().send(f"https://{literal}/", "whsec_AAAA", "msg_1", {}, Clock()())


@pytest.mark.requirement("URS-131")
def test_the_name_is_resolved_once_and_the_connection_goes_to_what_was_checked(hook: Endpoint) -> None:
    answers = [["127.0.0.1"], ["10.0.0.1"]]
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return answers[len(asked) - 1]

    hooks = Webhooks(may_be_local=True, trusted=hook.trusted, resolve=rebinding)
    hooks.send(hook.url, "whsec_AAAA", "msg_1", {"data": {}}, Clock()())
    assert asked == ["hooks.example"]
    assert hook.got[0][0]["host"].startswith("hooks.example:")
    with pytest.raises(Undelivered, match="inside"):
        hooks.send(hook.url, "whsec_AAAA", "msg_1", {"data": {}}, Clock()())


@pytest.mark.requirement("URS-131")
def test_only_an_endpoint_with_the_certificate_of_its_name_is_told(hook: Endpoint) -> None:
    other = hook.url.replace("hooks.example", "other.example")
    for webhooks, url in ((reaching(hook), other), (reaching(hook, trusted=ssl.create_default_context()), hook.url)):
        with pytest.raises(Undelivered):
            webhooks.send(url, "whsec_AAAA", "msg_1", {"data": {}}, Clock()())
    assert hook.got == []


@pytest.mark.requirement("URS-131")
def test_another_port_is_refused_and_no_proxy_of_the_environment_is_asked(
    hook: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Exception, match="port 443"):
        Webhooks().accept(hook.url)
    with pytest.raises(Undelivered, match="port 443"):
        reaching(hook, may_be_local=False).send(hook.url, "whsec_AAAA", "msg_1", {}, Clock()())
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    reaching(hook).send(hook.url, "whsec_AAAA", "msg_1", {"data": {}}, Clock()())


def test_an_endpoint_that_drips_or_pours_its_answer_is_not_waited_for(hook: Endpoint) -> None:
    hook.answer = lambda _said: (200, b"x" * 1_000_000, {})
    assert len(reaching(hook).send(hook.url, "whsec_AAAA", "msg_1", {"data": {}}, Clock()())) == 16_384
    hook.answer = lambda _said: (200, b"x", {"content-length": "1000"})
    with pytest.raises(Undelivered):
        reaching(hook, most_seconds=0.3).send(hook.url, "whsec_AAAA", "msg_1", {"data": {}}, Clock()())
    gone = hook.url.rpartition(":")[0] + f":{free_port()}/"
    with pytest.raises(Undelivered, match="could not be reached"):
        reaching(hook).send(gone, "whsec_AAAA", "msg_1", {"data": {}}, Clock()())


@pytest.mark.requirement("URS-198", "URS-199")
@pytest.mark.stage("awaiting")
def test_a_letter_says_under_which_condition_a_lot_is_released_and_when_it_lapsed(site: Site, clock: Clock) -> None:
    build.released_awaiting(site, LOT)
    due = site.today() + timedelta(days=14)
    told = {"en": f"released; under the condition that what was awaited until {due} complies"}
    told["de"] = f"freigegeben; unter der Bedingung, dass entspricht, was bis {due} erwartet wurde"
    for language, said in told.items():
        assert said in " ".join(text_of(_letter(site, language)).split())
    clock.advance(days=15)
    assert "do not use it" in " ".join(text_of(_letter(site, "en")).split())
    assert "Wenden Sie sie nicht an" in " ".join(text_of(_letter(site, "de")).split())


def _letter(site: Site, language: Any) -> EmailMessage:
    """What one who follows the lot is told after a revision."""
    with reading(site.engine) as session:
        lot = lot_of_certificate(session, LOT, site.today())
    said = (Channel.MAIL, CLINIC, language, None, "revision", site.clock(), "m1", lot, None, "u1")
    return mail_of(Letter(*said), site.profile, Mail("localhost", 25, "quality@maker.example"), site.clock())
