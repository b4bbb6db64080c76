"""What a head does: pose, shape, expression, action units."""
