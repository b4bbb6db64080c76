"""Reference generators, one per paradigm. A new one is a line here.

Their modules import at the top only what the core installs; torch and the like inside the functions that need them.
"""

BUILTIN: tuple[str, ...] = (
    "thgeval_baselines.generators.image:Image",
    "thgeval_baselines.generators.audio:Audio",
    "thgeval_baselines.generators.video:Video",
    "thgeval_baselines.generators.text:Text",
    "thgeval_baselines.generators.two_d:TwoD",
    "thgeval_baselines.generators.three_d:ThreeD",
    "thgeval_baselines.generators.parameter:Parameter",
    "thgeval_baselines.generators.anim3d:Anim3D",
    "thgeval_baselines.generators.nerf:Nerf",
    "thgeval_baselines.generators.diffusion:Diffusion",
)
"""``module:Class`` of each, in the order in which they are listed."""
