"""What is in the emulated organisation, by the names people use for it."""

from __future__ import annotations

from connector.sandbox.server import Sandbox


class Named:
    """For whoever holds a `sandbox`."""

    sandbox: Sandbox

    def user(self, name: str) -> str:
        """UserId of a user name."""
        return self.sandbox.organisation.store.users_by_name[name].id

    def group(self, name: str) -> str:
        """GroupId of a display name."""
        return self.sandbox.organisation.store.groups_by_name[name].id

    def pair(self, permission_set: str, account: str) -> str:
        """Id of a permission set in an AWS account."""
        arn = self.sandbox.organisation.instance.permission_sets_by_name[permission_set].arn
        return f"{account}:{arn.rsplit('/', 1)[-1]}"
