"""Every kind of fault that this service has to stand, what must hold then, and the tests that show it.

The rows are those of the design's table of faults. A row without a test fails here, and so does a test that is gone.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

TABLE: dict[tuple[str, str], list[str]] = {
    (
        "throttle storm: by code, 429, with an empty body, with RetryAfterSeconds",
        "an aggregation completes or fails whole, within its budget; no partial snapshot",
    ): [
        "faults/test_reads.py::test_a_throttle_storm_ends_with_the_storm",
        "faults/test_reads.py::test_a_list_outlasts_what_passes",
        "faults/test_reads.py::test_a_list_fails_whole_for_what_lasts",
        "aggregation/test_throttled.py::test_alone_hardly_any_call_is_throttled",
        "aggregation/test_throttled.py::test_a_lasting_throttle_ends_the_list_and_the_next_one_is_whole",
        "aws/test_faults.py::test_the_wait_that_aws_asks_for",
    ],
    (
        "5xx or time-out before and after AWS acted",
        "exactly one assignment in AWS; the operation ends succeeded",
    ): [
        "faults/test_writes.py::test_what_goes_wrong_on_the_way_happens_once_and_is_answered",
        "aws/test_users.py::test_a_lost_answer_finds_the_user_it_made",
        "aws/test_users.py::test_a_creation_that_never_gets_through_is_a_failure",
    ],
    (
        "connection reset, half page, repeated NextToken, empty page in the middle",
        "nothing is lost silently; a loop is detected",
    ): [
        "faults/test_reads.py::test_a_list_outlasts_what_passes",
        "acceptance/test_faults.py::test_a_read_that_fails_fails_the_list",
        "acceptance/test_faults.py::test_short_and_empty_pages_with_a_token_are_followed",
        "aws/test_read_faults.py::test_a_page_that_repeats_is_no_list",
        "aws/test_read_faults.py::test_cut_anywhere_an_answer_is_no_list",
    ],
    (
        "ConflictException, IN_PROGRESS for long, FAILED late",
        "a bounded wait, an answer that can be asked for later, then the true result",
    ): [
        "faults/test_writes.py::test_what_aws_works_on_while_its_answers_are_lost_is_known_in_the_end",
        "faults/test_writes.py::test_an_assignment_that_fails_late_is_told_with_its_reason",
        "aws/test_assignments.py::test_conflicts_and_a_lost_answer_of_a_grant_are_outlasted",
        "rest/test_changes.py::test_a_change_that_outlasts_its_request_goes_on",
        "rest/test_changes.py::test_an_operation_tells_how_it_failed_as_well",
    ],
    (
        "a role that expires in the middle, a wrong ExternalId, STS away",
        "one refresh; an error, never the credentials underneath",
    ): [
        "faults/test_reads.py::test_without_its_role_a_source_reads_nothing",
        "aws/test_sessions.py::test_a_wrong_external_id",
        "aws/test_sessions.py::test_sts_down",
        "aws/test_sessions.py::test_credentials_that_expired_unnoticed_are_renewed_once",
    ],
    (
        "SIGKILL between a change and its record, and between the record and the answer",
        "recovery converges; a repetition has the first answer",
    ): [
        "operations/test_kills.py::test_killed_there",
        "operations/test_kills.py::test_a_create_that_is_asked_again_answers_its_user",
        "operations/test_recovery.py::test_what_was_granted_and_revoked_since_is_not_granted_again",
        "chaos/test_machine.py::test_any_order_of_changes_deaths_and_retries",
        "store/test_crashes.py::test_killed",
    ],
    (
        "the same delivered again, a grant and its revoke at once, two replicas",
        "one call to AWS; the order of acceptance is the order of effects",
    ): [
        "faults/test_writes.py::test_the_same_grant_sent_many_times_at_once_is_one_assignment",
        "faults/test_writes.py::test_a_grant_and_its_revoke_at_once_come_in_the_order_in_which_they_were_accepted",
        "rest/test_changes.py::test_a_request_repeated_with_its_key_has_the_same_answer",
        "store/test_operation_races.py::test_the_same_wish_of_many",
        "store/test_operation_races.py::test_turns_across_processes",
    ],
    (
        "the disk is full, the database is locked or gone, the audit cannot be written",
        "changes are refused, reads go on where they can",
    ): [
        "faults/test_durability.py::test_with_the_audit_sink_failing_changes_are_refused_and_reads_go_on",
        "store/test_operations.py::test_a_full_disk_accepts_nothing",
        "store/test_operations.py::test_a_database_that_is_gone",
        "store/test_operations.py::test_a_database_that_is_locked",
        "store/test_engines.py::test_a_database_that_comes_back",
        "test_audit_sink.py::test_a_full_disk",
        "test_audit_sink.py::test_a_pipe_that_nobody_reads",
    ],
    (
        "the clock jumps, a lease leaps",
        "leases use the database's time; fences stop the old owner",
    ): [
        "store/test_operations.py::test_turns_do_not_trust_the_clock",
        "store/test_operations.py::test_a_lease_to_the_second",
        "store/test_operation_races.py::test_an_owner_that_was_overtaken_writes_nothing",
    ],
    (
        "slow and stalled readers, SIGTERM in a stream",
        "threads come free; a client sees an error, never a short success",
    ): [
        "callers/test_slow_clients.py::test_stalled_readers_give_way",
        "web/test_sockets.py::test_clients_that_stop_reading_are_given_up",
        "trust/test_stopping.py::test_a_list_that_is_cut_off_is_never_short",
        "trust/test_stopping.py::test_a_change_ends_in_a_state_that_is_known",
    ],
    (
        "tokens and roles change under load",
        "no valid caller hears 401",
    ): [
        "callers/test_tokens.py::test_a_rotation_fails_no_valid_request",
    ],
    (
        "all of it at once, by chance",
        "a history that can be checked: what was acknowledged is so, what was unknown becomes known",
    ): [
        "chaos/test_smoke.py::test_a_short_run_full_of_faults_and_a_kill_is_without_violations",
        "chaos/test_checker.py::test_what_is_planted_is_found",
    ],
}
ROWS = 12


@cache
def defined(path: Path) -> set[str]:
    """Names of the tests of a module."""
    return {each.name for each in ast.parse(path.read_text()).body if isinstance(each, ast.FunctionDef)}


def test_no_row_is_missing() -> None:
    assert len(TABLE) == ROWS


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_a_row_has_tests(row: tuple[str, str]) -> None:
    """Each of them is there."""
    assert TABLE[row], row
    missing = [each for each in TABLE[row] if each.split("::")[1] not in defined(TESTS / each.split("::")[0])]
    assert missing == []
