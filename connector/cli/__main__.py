"""`python -m connector.cli`: the same as `idc-connector`."""

from connector.cli import main

if __name__ == "__main__":  # the demo's second process imports this module, too
    main(prog_name="idc-connector")
