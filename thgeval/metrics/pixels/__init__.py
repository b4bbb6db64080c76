"""What frames look like, one by one."""
