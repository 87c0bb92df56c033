"""A signature is a person's own act, and shows exactly what it was put to."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlmodel import select

from domain.audit import verify
from domain.disposition.decisions import hold_lot
from domain.errors import Forbidden, Reason, Refused, Unauthenticated
from domain.lots.models import Lot
from domain.manufacturing.models import Donor
from domain.people.models import SignInKind, User
from domain.people.operations import (
    DeactivateUser,
    ResetPassword,
    RevokeRole,
    deactivate_user,
    reset_password,
    revoke_role,
    sign_in,
)
from domain.people.queries import actor_of
from domain.permissions import Role
from domain.signatures import (
    MEANING_DE,
    Authenticated,
    Credentials,
    Meaning,
    Signature,
    authenticate,
    digest,
    sign,
    signatures_on,
)
from domain.store import reading
from domain.work import Actor, Site, transaction
from tests.build import accepted, donor, material
from tests.cast import Clock, act, actor, credentials, password, raw, signed_in

CONTENT = {"donor": "D-1", "decision": "eligible"}


def signing(site: Site, who: Actor, given: Credentials) -> Signature:
    with transaction(site, who) as work:
        work.act = "sign_donor"
        return sign(work, work.session.exec(select(Donor)).one(), CONTENT, Meaning.APPROVED, given)


def secret(username: str, name: str | None = None) -> Credentials:
    return Credentials(username=name, password=SecretStr(password(username)))


@pytest.mark.requirement("URS-044", "URS-045")
def test_a_signature_shows_name_function_time_and_meaning(site: Site, clock: Clock) -> None:
    donor(site)
    found = signing(site, signed_in(site, "cleo"), credentials("cleo"))
    assert (found.name, found.function, found.meaning) == ("Cleo Releases", "Quality Assurance", Meaning.APPROVED)
    assert (found.signed_at, found.record, found.record_sha256) == (clock.now, "donor", digest(CONTENT))


@pytest.mark.requirement("URS-044")
def test_the_first_signature_of_a_session_needs_both_components_and_later_ones_the_password(site: Site) -> None:
    donor(site)
    cleo = signed_in(site, "cleo")
    with pytest.raises(Refused) as refusal:
        signing(site, cleo, secret("cleo"))
    assert refusal.value.reasons[0].code == "username-needed"
    signing(site, cleo, credentials("cleo"))
    signing(site, cleo, secret("cleo"))
    with pytest.raises(Refused):
        signing(site, signed_in(site, "cleo"), secret("cleo"))


@pytest.mark.requirement("URS-044")
def test_being_signed_in_is_not_enough_to_sign(site: Site) -> None:
    donor(site)
    with pytest.raises(Unauthenticated):
        signing(site, signed_in(site, "cleo"), Credentials(username="cleo", password=SecretStr("wrong wrong wrong")))
    assert raw(site, "SELECT count(*) FROM signature") == [(0,)]
    assert raw(site, "SELECT act, outcome FROM audit_entry ORDER BY sequence DESC LIMIT 1") == [
        ("sign_donor", "refused")
    ]


@pytest.mark.requirement("URS-044")
def test_nobody_signs_with_the_credentials_of_somebody_else(site: Site) -> None:
    donor(site)
    for wrong in (credentials("quin"), secret("quin", "cleo")):
        with pytest.raises(Unauthenticated):
            signing(site, signed_in(site, "cleo"), wrong)


@pytest.mark.requirement("URS-008", "URS-044")
def test_wrong_passwords_at_signing_lock_the_account_although_each_act_is_undone(site: Site) -> None:
    donor(site)
    token = sign_in(site, "cleo", password("cleo"), SignInKind.PAGE)
    cleo = actor_of(site, token, SignInKind.PAGE)
    for _ in range(5):
        with pytest.raises(Unauthenticated):
            signing(site, cleo, Credentials(username="cleo", password=SecretStr("wrong wrong wrong")))
    with pytest.raises(Unauthenticated):
        signing(site, cleo, credentials("cleo"))
    with pytest.raises(Unauthenticated):
        sign_in(site, "cleo", password("cleo"), SignInKind.PAGE)
    assert verify(site.engine).broken is None


@pytest.mark.requirement("URS-044")
def test_a_password_set_by_somebody_else_signs_nothing(site: Site) -> None:
    donor(site)
    new = "a password from Ada"
    with transaction(site, actor(site, "ada")) as work:
        reset_password(work, ResetPassword(username="cleo", password=SecretStr(new)))
    cleo = actor_of(site, sign_in(site, "cleo", new, SignInKind.PAGE), SignInKind.PAGE)
    with pytest.raises(Refused) as refusal:
        signing(site, cleo, Credentials(username="cleo", password=SecretStr(new)))
    assert refusal.value.reasons[0].code == "password-not-own"


@pytest.mark.requirement("URS-045")
def test_a_later_change_of_the_record_shows_the_signature_as_covering_what_it_was(site: Site) -> None:
    donor(site)
    signing(site, actor(site, "cleo"), credentials("cleo"))
    with reading(site.engine) as session:
        record = session.exec(select(Donor)).one()
        (same,) = signatures_on(session, record, CONTENT)
        (changed,) = signatures_on(session, record, {**CONTENT, "decision": "ineligible"})
        (unasked,) = signatures_on(session, record)
    assert (same.current, changed.current, unasked.current) == (True, False, True)


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.requirement("URS-045")
@given(st.dictionaries(st.text("abc", max_size=3), plain), plain)
def test_the_digest_of_a_record_changes_with_anything_in_it_and_with_nothing_else(
    content: dict[str, object], other: object
) -> None:
    assert digest(content) == digest(dict(reversed(content.items())))
    assert digest(content) != digest({**content, "new": other})


def test_every_meaning_is_printed_in_german_too() -> None:
    assert set(MEANING_DE) == set(Meaning)


@pytest.mark.requirement("URS-044")
def test_a_refusal_to_sign_names_the_field_and_what_to_do(site: Site) -> None:
    donor(site)
    with pytest.raises(Refused) as refusal:
        signing(site, signed_in(site, "cleo"), secret("cleo"))
    assert refusal.value.reasons == (
        Reason("username-needed", "the first signature of a session needs the username too", "credentials.username"),
    )
    with transaction(site, actor(site, "ada")) as work:
        reset_password(work, ResetPassword(username="cleo", password=SecretStr("a password from Ada")))
    cleo = actor_of(site, sign_in(site, "cleo", "a password from Ada", SignInKind.PAGE), SignInKind.PAGE)
    with pytest.raises(Refused) as refusal:
        signing(site, cleo, Credentials(username="cleo", password=SecretStr("a password from Ada")))
    told = "change your password first: whoever set it could sign in your name"
    assert refusal.value.reasons == (Reason("password-not-own", told, "credentials.password"),)


@pytest.mark.requirement("URS-044")
def test_ones_own_password_under_another_name_signs_nothing(site: Site) -> None:
    donor(site)
    with pytest.raises(Unauthenticated):
        signing(site, signed_in(site, "cleo"), secret("cleo", "quin"))


@pytest.mark.requirement("URS-044")
def test_what_somebody_authenticated_for_is_signed_by_nobody_else_and_not_in_another_session(site: Site) -> None:
    donor(site)
    cleo = signed_in(site, "cleo")
    with transaction(site, cleo) as work:
        work.act = "make_ready"
        ready = authenticate(work, credentials("cleo"))
    for other in (signed_in(site, "quin"), signed_in(site, "cleo")):
        with pytest.raises(Forbidden) as refusal:
            by_ready(site, other, ready)
        assert refusal.value.reasons == (
            Reason("not-the-signer", "somebody else gave the credentials of this signature"),
        )
    assert by_ready(site, cleo, ready).signed_at == ready.at


def by_ready(site: Site, who: Actor, ready: Authenticated) -> Signature:
    with transaction(site, who) as work:
        work.act = "sign_donor"
        return sign(work, work.session.exec(select(Donor)).one(), CONTENT, Meaning.APPROVED, ready)


@pytest.mark.requirement("URS-045")
def test_the_signatures_of_a_record_are_its_own_and_in_the_order_they_were_given(site: Site) -> None:
    donor(site)
    lot = material(site)
    for who in ("quin", "cleo", "quin"):
        signing(site, actor(site, who), credentials(who))
    accepted(site, lot)
    second = accepted(site, material(site), "quin")
    with reading(site.engine) as session:
        record = session.exec(select(Donor)).one()
        own = session.exec(select(Lot).where(Lot.lot_number == lot)).one()
        assert own.key == record.key, "two records with one id, of different kinds"
        names = [one.name for one in signatures_on(session, record)]
        others = [one.name for one in signatures_on(session, own)]
        accepted_too = session.exec(select(Lot).where(Lot.lot_number == second)).one()
        assert [one.name for one in signatures_on(session, accepted_too)] == ["Quin Releases Too"]
    assert names == ["Quin Releases Too", "Cleo Releases", "Quin Releases Too"]
    assert others == ["Cleo Releases"]


def test_who_acts_without_a_session_gives_both_components_each_time(site: Site) -> None:
    """Nobody's signature of before counts as the first of a session that is none."""
    donor(site)
    signing(site, actor(site, "cleo"), credentials("cleo"))
    with pytest.raises(Refused) as refusal:
        signing(site, actor(site, "cleo"), secret("cleo"))
    assert refusal.value.reasons[0].code == "username-needed"


ENDED = (Reason("not-the-signer", "Cleo Releases may no longer sign this: the account or its role ended"),)


def ready_for(site: Site, who: Actor) -> Authenticated:
    """Somebody gives both components before the act that they sign in."""
    with transaction(site, who) as work:
        work.act = "make_ready"
        return authenticate(work, credentials("cleo"))


def signed_in_act(site: Site, who: Actor, ready: Authenticated, name: str = "hold_lot") -> Signature:
    """The act of that name, which needs the permission that is registered for it."""
    assert hold_lot is not None
    with transaction(site, who) as work:
        work.act = name
        return sign(work, work.session.exec(select(Donor)).one(), CONTENT, Meaning.APPROVED, ready)


@pytest.mark.requirement("URS-044")
@pytest.mark.parametrize(
    ("end", "command"),
    [
        (revoke_role, RevokeRole(username="cleo", role=Role.QA)),
        (deactivate_user, DeactivateUser(username="cleo")),
    ],
)
def test_who_lost_the_role_or_the_account_since_giving_the_password_signs_nothing(
    site: Site, end: Any, command: Any
) -> None:
    donor(site)
    cleo = signed_in(site, "cleo")
    ready = ready_for(site, cleo)
    assert signed_in_act(site, cleo, ready).name == "Cleo Releases"
    act(site, "ada", end, command)
    with pytest.raises(Forbidden) as refusal:
        signed_in_act(site, cleo, ready)
    assert refusal.value.reasons == ENDED


def test_an_act_that_needs_no_permission_is_signed_without_a_role(site: Site) -> None:
    donor(site)
    cleo = signed_in(site, "cleo")
    ready = ready_for(site, cleo)
    act(site, "ada", revoke_role, RevokeRole(username="cleo", role=Role.QA))
    for name in ("change_password", "an_act_that_nobody_registered"):
        assert signed_in_act(site, cleo, ready, name).name == "Cleo Releases"


def test_who_was_locked_out_meanwhile_signs_again_from_the_end_of_the_lock_on(site: Site, clock: Clock) -> None:
    donor(site)
    cleo = signed_in(site, "cleo")
    ready = ready_for(site, cleo)
    until = clock.now + timedelta(minutes=15)
    with transaction(site, actor(site, "ada")) as work:
        work.act = "lock_out"
        work.session.exec(select(User).where(User.username == "cleo")).one().locked_until = until
    for now in (clock.now, until - timedelta(seconds=1)):
        clock.now = now
        with pytest.raises(Forbidden) as refusal:
            signed_in_act(site, cleo, ready)
        assert refusal.value.reasons == ENDED
    clock.now = until
    assert signed_in_act(site, cleo, ready).name == "Cleo Releases"


def test_the_role_that_counts_is_that_of_the_signer(site: Site) -> None:
    """Somebody else who holds the role, or who lost theirs, changes nothing."""
    donor(site)
    cleo = signed_in(site, "cleo")
    ready = ready_for(site, cleo)
    act(site, "ada", deactivate_user, DeactivateUser(username="quin"))
    act(site, "ada", revoke_role, RevokeRole(username="rhea", role=Role.REVIEWER))
    assert signed_in_act(site, cleo, ready).name == "Cleo Releases"


def test_credentials_given_in_the_act_itself_are_looked_at_once(site: Site) -> None:
    """They were just verified in the same transaction: what may have changed since is asked only where time passed between."""
    donor(site)
    with transaction(site, signed_in(site, "cleo")) as work:
        work.act = "define_product"  # needs what she does not hold; the door of the operation asks, not the signature
        assert sign(work, work.session.exec(select(Donor)).one(), CONTENT, Meaning.APPROVED, credentials("cleo")).name
