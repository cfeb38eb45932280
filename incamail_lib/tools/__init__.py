"""What the project's own maintenance needs; not shipped."""
