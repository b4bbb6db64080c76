"""Whether lips and voice go together."""
