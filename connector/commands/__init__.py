"""The registry: every command this connector speaks, greppable and compared with `spec/` by a test."""
