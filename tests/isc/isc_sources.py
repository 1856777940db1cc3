"""The sources file of the services under test."""

from __future__ import annotations

from pathlib import Path

from connector.sandbox.server import Sandbox


def sources(sandbox: Sandbox, directory: Path) -> str:
    """A source with every command, and one whose lists are read anew each time."""
    token = directory / "scim-token"
    token.write_text(sandbox.scim_token)
    return (
        "[sources.default]\n"
        f'disable_by = "scim"\nscim_endpoint = "{sandbox.scim_url}"\nscim_token_file = "{token}"\n'
        '[sources.fresh]\nsnapshot_max_age = "0s"\nread_deadline = "2s"\n'
    )
