"""A photograph that talks: a portrait bent by a mesh of its landmarks, with parameters known exactly."""
