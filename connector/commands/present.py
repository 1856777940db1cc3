"""The account as AWS has it now: read live, dressed like a list shows it, and told to the store after a change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from connector import attributes
from connector.changing.settling import PAUSES
from connector.commands.desk import Desk
from connector.errors import AccountNotFound, AskPermission, AwsFailed, ForeignAccount
from connector.lag import OUTWEIGHS
from connector.model import Account, Instance, Lane, Operation, Refusal, Source
from connector.ports import Directory
from connector.reading import claims, facts, live, views
from connector.reading.catalogue import Catalogue

READS_APPLICATIONS = "sso:ListApplicationAssignmentsForPrincipal"
STORE_DIGITS = 10
"""Hexadecimal digits in an identity store's id, and before the UUID in the ids of its users."""


@dataclass
class Present:
    """One account, read as often as needed by one command."""

    desk: Desk
    id: str
    lane: Lane = Lane.LIVE
    whole: bool = False
    """Read what the user holds directly even where its type is not enabled: before a user is deleted or stripped."""
    made: bool = False
    """The user was made a moment ago: where AWS does not show it, it lags behind itself."""
    directory: Directory = field(init=False)
    last: live.Live | None = field(default=None, init=False)
    lagging: bool = field(default=False, init=False)
    """Whether what was last read lacks what AWS said was done, or may have done."""
    _instance: Instance = field(init=False)
    """Known before anything is changed: what was changed is published without asking AWS."""
    unread: AskPermission | None = field(default=None, init=False)
    """Why its applications were not read, though the whole was wanted: the source does without the permission."""
    _names: Catalogue = field(init=False)

    def __post_init__(self) -> None:
        self.directory = self.desk.directory(self.lane)
        self._instance = self.directory.instance()
        self._names = Catalogue(self.desk.records, self.desk.freshness.newest(), self.directory)

    def account(self, refusals: tuple[Refusal, ...] = ()) -> Account:
        """Read it now; `AccountNotFound` when AWS says the user does not exist."""
        self.last = self._appeared() if self.made else self._read()
        return views.of_live(self._source(), self.last, self._names, refusals)

    def _source(self) -> Source:
        if not self.whole:
            return self.desk.source
        return _whole(self.desk.source, applications=self.unread is None)

    def _read(self) -> live.Live:
        stripped = self.desk.stripped.disabled(self.desk.source.name, self.id)
        with self._in_its_store():
            try:
                return live.read(self.directory, self.desk.records, self._source(), self.id, stripped=stripped)
            except AskPermission as denied:
                if not self._does_without(denied):
                    raise
                self.unread = denied
            return live.read(self.directory, self.desk.records, self._source(), self.id, stripped=stripped)

    def _does_without(self, denied: AskPermission) -> bool:
        """A source without the type needs no permission to read applications: the rest is taken all the same."""
        return (
            self.whole
            and self.unread is None
            and not self.desk.source.has(attributes.APPLICATION.name)
            and denied.action == READS_APPLICATIONS
        )

    def seen(self) -> None:
        """Return when AWS has the user; `AccountNotFound` when it says that there is none."""
        with self._in_its_store():
            self.directory.user(self.id)

    @contextmanager
    def _in_its_store(self) -> Iterator[None]:
        """Around what may not find the user: of another store's it is not said that he is not there."""
        try:
            yield
        except AccountNotFound:
            self._refuse_other_store()
            raise

    def _appeared(self) -> live.Live:
        """Read it until it is there: "not found" would have SailPoint create the user once more."""
        for pause in PAUSES:
            try:
                return self._read()
            except AccountNotFound:
                self.desk.clock.sleep(pause)
        try:
            return self._read()
        except AccountNotFound as absent:
            raise AwsFailed(
                f"user {self.id} was made, but {sum(PAUSES):.0f} s later AWS does not show it; ask again"
            ) from absent

    def application_arn(self, id_: str) -> str | None:
        """An application's ARN, as the last reading met it or AWS lists it now; None when there is none of this id."""
        if self.last is not None and (met := self.last.application_arns.get(id_)):
            return met
        found = self.directory.application(id_)
        return None if found is None else found.arn

    def _refuse_other_store(self) -> None:
        """`FixConfiguration` when the id carries another identity store's id: the source is wrong, not the user gone.

        Ids of users can begin with the ten digits of their store's id `d-…` (as seen in the field; AWS documents only
        the shape, so users that we know here outweigh it). Told "not found", SailPoint would create the user in a
        store where it does not belong.
        """
        store = self.directory.instance().identity_store_id
        prefix = self.id.partition("-")[0]
        snapshot = self.desk.freshness.newest()
        known = self.desk.records.page(snapshot, facts.USER, "", 1) if snapshot is not None else ()
        ours = {store.removeprefix("d-"), *(each.id.partition("-")[0] for each in known)}
        if len(prefix) == STORE_DIGITS and store.startswith("d-") and prefix not in ours:
            raise ForeignAccount(
                f"user {self.id} belongs to identity store d-{prefix}, but source {self.desk.source.name} serves "
                f"{store}: check its region and instance_arn"
            )

    @contextmanager
    def doubted_unless_seen(self) -> Iterator[None]:
        """Around the reading back of a change: where that fails, no list goes on as if the account were as before."""
        try:
            yield
        except Exception:
            self.desk.freshness.doubt(self.id)
            raise

    def publish(self) -> None:
        """Put what was last read into the newest snapshot, so that lists show our change at once.

        What lacks the change, or one a moment before it, is no news: lists ask AWS anew instead.
        """
        assert self.last is not None  # what is published was read
        if self.lagging or self._contradicts(self.last):
            self.desk.freshness.doubt(self.id)
            return
        self.desk.freshness.amend(self._instance, self.last.kinds, {self.id: self.last.facts}, self._change)

    def _contradicts(self, read: live.Live) -> bool:
        """Whether it lacks what AWS acknowledged to us a moment ago, or still has what it took."""
        found = {(each.kind, each.id): each for each in read.facts}
        known = claims.of(self.desk.operations.recent(self.id, OUTWEIGHS), read.kinds)
        return not all(claims.met(each, found) for each in known.values())

    def publish_gone(self) -> None:
        """Take the account out of the newest snapshot."""
        self.desk.freshness.amend(self._instance, facts.ABOUT_A_USER, {self.id: ()}, self._change)

    @property
    def _change(self) -> Operation | None:
        """The running operation: once another process has taken it over, what we read is old."""
        return self.desk.journal.operation if self.desk.journal is not None else None


def _whole(source: Source, *, applications: bool) -> Source:
    types = dict.fromkeys((*source.entitlement_types, attributes.GROUP.name, attributes.ASSIGNMENT.name))
    if applications:
        types[attributes.APPLICATION.name] = None
    return replace(source, entitlement_types=tuple(types), inherited="none")
