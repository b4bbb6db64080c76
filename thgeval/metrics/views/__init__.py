"""Renders of one scene from two cameras."""
