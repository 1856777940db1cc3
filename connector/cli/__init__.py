"""`idc-connector`: the commands an operator types. One module a command; each is imported only when it is used.

Commands print to standard output what somebody asked for; the log and complaints go to standard error.
"""

from __future__ import annotations

import importlib
from typing import Final

import click

COMMANDS: Final = {
    "serve": ("connector.cli.serve", "serve_command"),
    "demo": ("connector.cli.demo", "demo_command"),
    "sandbox": ("connector.sandbox.main", "sandbox_command"),
    "token": ("connector.cli.token", "token_group"),
    "walk": ("connector.cli.walk", "walk_command"),
    "doctor": ("connector.cli.doctor", "doctor_command"),
    "operations": ("connector.cli.operations", "operations_group"),
    "audit": ("connector.cli.audit", "audit_group"),
    "iiq-application": ("connector.cli.iiq_application", "iiq_application_command"),
}
"""Module and name of each command. The sandbox is an extra: nothing of it is loaded by the others."""


class Commands(click.Group):
    """The group of all commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, the daily ones first."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One command, loaded now."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), name)
        return command


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="idc-connector", message="%(version)s")
def main() -> None:
    """SailPoint's standard connector commands on AWS IAM Identity Center.

    Settings come from the environment (CONNECTOR_…, each also as …_FILE). To see it work without AWS, start with
    `idc-connector demo`.
    """


if __name__ == "__main__":
    main()
