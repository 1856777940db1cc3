"""Users: read as they are, made once, changed without losing what we do not show, deleted for good."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.errors import (
    AccountNotFound,
    AwsConflict,
    AwsFailed,
    FixConfiguration,
    FixRequest,
    InvalidAttribute,
)

NEW = {
    "userName": "rosa",
    "displayName": "Rosa Diaz",
    "givenName": "Rosa",
    "familyName": "Diaz",
    "email": "rosa@example.com",
    "emailType": "work",
    "department": "Security",
    "costCenter": "C7",
    "country": "DE",
    "locality": "Ulm",
    "phoneNumber": "+49 1",
}
NOBODY = "00000000-0000-4000-8000-000000000000"


def told(refusal):
    """Nobody keeps what was submitted."""


def _store(world):
    return world.sandbox.organisation.store


def test_listed_and_described_alike(world):
    """One translation: whichever call shows a user, he looks the same."""
    directory = world.open()

    for user in directory.users():
        assert directory.user(user.id) == user


def test_a_user_in_our_words(world):
    user = world.open().user(world.user("alan"))

    assert user.attributes["userName"] == "alan"
    assert user.attributes["employeeNumber"] == "E1001"
    assert user.attributes["manager"] == world.user("ada")
    assert user.attributes["createdAt"] == "2025-01-02T00:00:00Z"
    assert user.revision == "1"
    assert not user.disabled
    assert "nickName" not in user.attributes


@pytest.mark.parametrize("keys", ["camel", "pascal"])
def test_the_extension_in_either_case(world, keys):
    world.sandbox.options.extension_keys = keys

    assert world.open().user(world.user("alan")).attributes["department"] == "Engineering"


def test_a_disabled_user(world):
    assert world.open().user(world.user("hedy")).disabled


def test_only_a_user_that_is_not_there_is_not_found(world):
    with pytest.raises(AccountNotFound, match=NOBODY):
        world.open().user(NOBODY)


@pytest.mark.parametrize("tells_apart", [True, False], ids=["AWS tells spellings apart", "AWS does not"])
def test_a_user_in_another_spelling_is_neither_missing_nor_a_second_account(world, tells_apart):
    ada = world.user("ada")
    prefix, _, rest = ada.partition("-")
    loud = f"{prefix}-{rest.upper()}"
    store = _store(world)
    if not tells_apart:
        store.users_by_id[loud] = store.users_by_id[ada]

    with pytest.raises(FixRequest, match=f"is spelt {ada}"):
        world.open().user(loud)


def test_a_user_that_is_there_in_no_spelling_is_not_found(world):
    loud = NOBODY.replace("8000", "8AAA")

    with pytest.raises(AccountNotFound, match=loud):
        world.open().user(loud)
    assert world.count("DescribeUser") == 2


@pytest.mark.parametrize(
    "identifier", ["", "ada", "../Users/x", "arn:aws:identitystore:::user/" + NOBODY, NOBODY + " "]
)
def test_a_malformed_id_is_refused_without_a_call(world, identifier):
    directory = world.open()
    directory.instance()
    before = directory.calls()

    with pytest.raises(FixRequest, match=r"is not the id of a user .* \(its UserId, not its userName\)"):
        directory.user(identifier)
    with pytest.raises(FixRequest):
        directory.delete_user(identifier)

    assert directory.calls() == before


def test_a_wrong_identity_store_is_no_missing_user(world):
    directory = world.open()
    directory._known.instance = replace(directory.instance(), identity_store_id="d-0123456789")

    for ask in (
        lambda: directory.user(NOBODY),
        lambda: directory.user(world.user("ada")),
        lambda: directory.user_id_of("userName", "ada"),
        lambda: directory.group(NOBODY),
        lambda: directory.leave(NOBODY, NOBODY),
        lambda: directory.delete_user(NOBODY),
        lambda: list(directory.users()),
    ):
        with pytest.raises(FixConfiguration, match="identity store"):
            ask()


def test_looked_up_by_name_and_by_mail(world):
    directory = world.open()

    assert directory.user_id_of("userName", "ada") == world.user("ada")
    assert directory.user_id_of("email", "ada@example.com") == world.user("ada")
    assert directory.user_id_of("userName", "nobody") is None


def test_created_with_every_kind_of_attribute(world):
    directory = world.open()

    user = directory.user(directory.create_user(NEW, told))

    assert NEW.items() <= user.attributes.items()
    assert _store(world).users_by_name["rosa"].attributes["Emails"][0]["Primary"] is True


def test_a_taken_name_is_a_conflict(world):
    with pytest.raises(AwsConflict) as caught:
        world.open().create_user({**NEW, "userName": "ada"}, told)

    assert caught.value.reason == "UNIQUENESS_CONSTRAINT_VIOLATION"
    assert world.count("CreateUser") == 1


@pytest.mark.parametrize("fault", ["after", "half"])
def test_a_lost_answer_finds_the_user_it_made(world, fault):
    """AWS acted and nobody heard: exactly one user, and his id."""
    world.fault("CreateUser", fault, times=1)

    made = world.open().create_user(NEW, told)

    assert made == world.user("rosa")
    assert world.count("CreateUser") == 1


@pytest.mark.parametrize("fault", ["before", "error500", "throttled"])
def test_a_call_that_did_nothing_is_made_again(world, fault):
    world.fault("CreateUser", fault, times=2)

    made = world.open().create_user(NEW, told)

    assert made == world.user("rosa")
    assert world.count("CreateUser") == 3


def test_somebody_elses_user_is_never_taken_for_ours(world):
    """The answer was lost, and the name is an older user's: the repetition tells the conflict."""
    world.fault("CreateUser", "before", times=1)

    with pytest.raises(AwsConflict):
        world.open().create_user({**NEW, "userName": "ada"}, told)


@pytest.mark.parametrize("fault", ["error500", "throttled"])
def test_an_equal_user_of_somebody_else_is_not_ours_where_aws_answered(world, fault):
    """Made a moment ago, alike in every attribute; every call of ours was answered, so none of them made him."""
    world.open().create_user(NEW, told)
    world.fault("CreateUser", fault, times=1)

    with pytest.raises(AwsConflict):
        world.open().create_user(NEW, told)


@pytest.mark.parametrize(
    ("fault", "heard"),
    [
        ("error500", ["sent", "AwsFailed", "sent", "AwsFailed", "sent"]),
        ("throttled", ["sent", "AwsThrottled", "sent", "AwsThrottled", "sent"]),
        ("before", ["sent", "sent", "sent"]),
    ],
)
def test_what_is_known_of_a_creation_is_told_while_it_goes_on(world, fault, heard):
    """Each call before it goes out, and that nothing came of it only when AWS said so."""
    found = []
    world.fault("CreateUser", fault, times=2)

    world.open().create_user(NEW, lambda refusal: found.append(type(refusal).__name__ if refusal else "sent"))

    assert found == heard


def test_after_a_call_without_an_answer_no_later_answer_says_that_nothing_came_of_it(world):
    """It is the later call's."""
    found = []
    world.fault("CreateUser", "before", times=1)
    world.fault("CreateUser", "error500", after=1)

    with pytest.raises(AwsFailed):
        world.open().create_user(NEW, found.append)

    assert found
    assert set(found) == {None}


def test_other_attributes_under_the_name_are_not_ours(world):
    """Made a moment ago by somebody else, with other attributes."""
    world.open().create_user({**NEW, "department": "Other"}, told)
    world.fault("CreateUser", "before", times=1)

    with pytest.raises(AwsConflict):
        world.open().create_user(NEW, told)


def test_a_user_that_shows_late_is_still_ours(world):
    """The look-up after the lost answer saw nothing, so the call was repeated, and collided with itself."""
    world.fault("CreateUser", "after", times=1)
    # The first look-up is told that there is nobody: what a lagging index answers.
    directory = world.open()
    directory.instance()
    seen = []
    from connector.aws import users

    original = users.id_of

    def lagging(*arguments):
        seen.append(arguments)
        return None if len(seen) == 1 else original(*arguments)

    users.id_of = lagging
    try:
        assert directory.create_user(NEW, told) == world.user("rosa")
    finally:
        users.id_of = original
    assert world.count("CreateUser") == 2


def test_a_creation_that_never_gets_through_is_a_failure(world):
    """The look-ups between the attempts succeed; they are no progress of the creation."""
    world.fault("CreateUser", "error500")
    began = world.clock.monotonic()

    with pytest.raises(AwsFailed, match="CreateUser"):
        world.open(deadline=30).create_user(NEW, told)

    assert world.clock.monotonic() - began < 35

    assert "rosa" not in _store(world).users_by_name


def test_values_aws_refuses(world):
    with pytest.raises(InvalidAttribute):
        world.open().create_user({**NEW, "userName": "has space"}, told)


def test_updated_in_one_call(world):
    """Plain, named, enterprise and listed attributes; set and cleared together."""
    directory = world.open()
    user = directory.user(directory.create_user(NEW, told))

    directory.update_user(
        user,
        {
            "nickName": "R",
            "familyName": "D",
            "department": None,
            "costCenter": "C8",
            "email": "r@example.com",
            "country": None,
        },
    )

    now = directory.user(user.id)
    assert now.attributes["nickName"] == "R"
    assert now.attributes["familyName"] == "D"
    assert now.attributes["costCenter"] == "C8"
    assert now.attributes["email"] == "r@example.com"
    assert now.attributes["emailType"] == "work"
    assert now.attributes["locality"] == "Ulm"
    assert {"department", "country"}.isdisjoint(now.attributes)
    assert world.count("UpdateUser") == 1


def test_the_last_member_takes_its_list_along(world):
    directory = world.open()
    user = directory.user(directory.create_user(NEW, told))

    directory.update_user(user, {"email": None, "country": "", "locality": None, "phoneNumber": None})

    assert {"Emails", "Addresses", "PhoneNumbers"}.isdisjoint(_store(world).users_by_name["rosa"].attributes)
    assert {"email", "emailType", "country", "locality", "phoneNumber"}.isdisjoint(directory.user(user.id).attributes)


def test_what_we_do_not_show_is_kept(world):
    directory = world.open()
    user = directory.user(directory.create_user(NEW, told))
    stored = _store(world).users_by_name["rosa"]
    stored.attributes["Addresses"] = [{"Country": "DE", "Formatted": "Ulm, Germany", "Type": "home"}]
    stored.wire.clear()

    directory.update_user(user, {"country": "AT"})

    assert stored.attributes["Addresses"] == [{"Country": "AT", "Formatted": "Ulm, Germany", "Type": "home"}]


def test_a_type_without_its_value_is_refused(world):
    directory = world.open()
    user = directory.user(directory.create_user({key: NEW[key] for key in list(NEW)[:4]}, told))

    with pytest.raises(InvalidAttribute, match="emailType"):
        directory.update_user(user, {"emailType": "home"})


def test_a_stale_revision_is_refused(world):
    directory = world.open()
    user = directory.user(directory.create_user(NEW, told))
    directory.update_user(user, {"title": "One"})

    with pytest.raises(AwsConflict) as caught:
        directory.update_user(user, {"title": "Two"})

    assert caught.value.reason == "CONCURRENT_MODIFICATION"
    assert directory.user(user.id).attributes["title"] == "One"


def test_deleted_and_deleted_again(world):
    directory = world.open()
    made = directory.create_user(NEW, told)
    world.fault("DeleteUser", "after", times=1)

    directory.delete_user(made)
    directory.delete_user(made)

    with pytest.raises(AccountNotFound):
        directory.user(made)


def test_membership_changes_are_idempotent(world):
    directory = world.open()
    ada, group = world.user("ada"), world.group("aws_eng_read")

    assert directory.join(group, ada)
    assert not directory.join(group, ada)
    assert directory.leave(group, ada)
    assert not directory.leave(group, ada)
    assert not directory.leave(NOBODY, ada)
    assert not directory.leave(group, NOBODY)


def test_joining_survives_a_lost_answer(world):
    directory = world.open()
    world.fault("CreateGroupMembership", "after", times=1)

    assert not directory.join(world.group("aws_eng_read"), world.user("ada"))  # "already", by our first attempt
    assert world.user("ada") in {each.user_id for each in directory.members(world.group("aws_eng_read"))}


def test_a_group_that_is_gone(world):
    directory = world.open()

    assert directory.group(NOBODY) is None
    with pytest.raises(AwsFailed) as caught:
        directory.join(NOBODY, world.user("ada"))
    assert caught.value.resource == "GROUP"
    with pytest.raises(AwsFailed) as caught:
        list(directory.members(NOBODY))
    assert caught.value.resource == "GROUP"
