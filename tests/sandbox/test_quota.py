"""The quota, on a clock of its own: nothing here waits."""

from connector.sandbox.options import Options
from connector.sandbox.quota import Bucket, Quota


def test_a_bucket_gives_its_burst_then_its_rate():
    bucket = Bucket()

    assert [bucket.take(10, 5, 0.0) for _ in range(6)] == [True] * 5 + [False]
    assert [bucket.take(10, 5, 0.1) for _ in range(2)] == [True, False]
    assert [bucket.take(10, 5, 100.0) for _ in range(6)] == [True] * 5 + [False]


def test_families_have_buckets_of_their_own():
    options, quota = Options(tps=2.0, organizations_tps=1.0), Quota()

    def admitted(family):
        return sum(quota.admits(family, options, now=0.0) for _ in range(100))

    assert {family: admitted(family) for family in ("sso-admin", "identitystore", "organizations", "sts")} == {
        "sso-admin": 2,
        "identitystore": 2,
        "organizations": 1,
        "sts": 100,
    }


def test_identitystore_can_have_a_rate_of_its_own_and_a_burst_can_be_set():
    options, quota = Options(tps=2.0, identitystore_tps=30.0, burst=7.0), Quota()

    assert sum(quota.admits("identitystore", options, now=0.0) for _ in range(100)) == 7
    assert sum(quota.admits("identitystore", options, now=0.1) for _ in range(100)) == 3


def test_beyond_the_quota_each_service_answers_its_own_error(world):
    """Only identitystore says how long to wait (aws-behaviour 10); callers share the bucket."""
    world.options.merge({"tps": 0.01, "organizations_tps": 0.01})
    other = world.client("sso-admin", key="AKIADELEGATED0000000")
    world.sso.list_instances()
    world.users.list_users(IdentityStoreId=world.store)
    world.organizations.list_accounts()

    sso = world.error(other.list_instances)
    store = world.error(world.users.list_groups, IdentityStoreId=world.store)
    organizations = world.error(world.organizations.list_accounts)

    assert (sso["Code"], sso["Error"]["Message"]) == ("ThrottlingException", "Rate exceeded")
    assert "RetryAfterSeconds" not in sso
    assert (store["Code"], store["RetryAfterSeconds"]) == ("ThrottlingException", 1)
    assert organizations["Code"] == "TooManyRequestsException"
    state = world.sandbox.control("state")
    assert state["throttles"] == {"sso-admin": 1, "identitystore": 1, "organizations": 1}
    world.client("sts").get_caller_identity()
