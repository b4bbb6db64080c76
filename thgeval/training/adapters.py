"""Validation as a callback of Lightning or of the Trainer of Hugging Face; neither is imported before it is asked for.

    lightning.Trainer(callbacks=[for_lightning(validation)])
    transformers.Trainer(..., callbacks=[for_hf_trainer(validation)])

Accelerate has no callbacks: its loops call ``validation.step`` as plain ones do, and ``sinks.to_accelerate`` logs.
Training stops where ``should_stop`` is true. Without ``every_steps`` a check is made whenever the framework validates.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from thgeval.errors import ProtocolError
from thgeval.training.validation import Checked, Validation


def for_lightning(validation: Validation, *, prefix: str = "validation/") -> Any:
    """A ``Callback`` of ``lightning.pytorch`` or ``pytorch_lightning``; ProtocolError if neither is installed.

    Scores go to the trainer's loggers. Its checkpoints hold which checkpoint is the best.
    """
    base = _found(("lightning.pytorch", "pytorch_lightning"), "lightning").Callback

    def seen(checked: Checked | None, trainer: Any) -> None:
        if checked is None:
            return
        for logger in trainer.loggers if trainer.is_global_zero else ():
            logger.log_metrics({prefix + key: value for key, value in checked.scores.items()}, step=checked.step)
        trainer.should_stop = trainer.should_stop or checked.should_stop

    class ValidationCallback(base):  # type: ignore[misc, valid-type]
        """Checks at the start, after batches that a step ends, and where Lightning validates."""

        def on_train_start(self, trainer: Any, module: Any) -> None:
            seen(validation.step(trainer.global_step), trainer)

        def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
            seen(validation.step(trainer.global_step), trainer)

        def on_validation_end(self, trainer: Any, module: Any) -> None:
            if validation.every_steps is None and not trainer.sanity_checking:
                seen(validation.check(trainer.global_step), trainer)

        @property
        def state_key(self) -> str:
            return f"thgeval.training.Validation[{validation.watch}]"

        def state_dict(self) -> dict[str, Any]:
            return validation.state_dict()

        def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
            validation.load_state_dict(state_dict)

    return ValidationCallback()


def for_hf_trainer(validation: Validation, *, prefix: str = "validation_") -> Any:
    """A ``TrainerCallback`` of transformers; ProtocolError if that isn't installed.

    Scores go to the history of logs; sinks are the way to trackers. Its checkpoints hold which checkpoint is the best.
    """
    base = _found(("transformers",), "transformers").TrainerCallback
    exportable = getattr(import_module("transformers.trainer_callback"), "ExportableState", object)

    def seen(checked: Checked | None, state: Any, control: Any) -> Any:
        if checked is not None:
            scores = {prefix + key: value for key, value in checked.scores.items()}
            state.log_history.append({**scores, "step": checked.step})
            control.should_training_stop = control.should_training_stop or checked.should_stop
        return control

    class ValidationTrainerCallback(base, exportable):  # type: ignore[misc, valid-type]
        """Checks at the start, after steps, and where the Trainer evaluates."""

        def state(self) -> dict[str, Any]:
            return {"args": {}, "attributes": {"watch": validation.watch, "held": validation.state_dict()}}

        def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:
            kept = (getattr(state, "stateful_callbacks", None) or {}).get(type(self).__name__, [])
            for one in kept if isinstance(kept, list) else [kept]:
                if state.global_step and one["attributes"]["watch"] == validation.watch:
                    validation.load_state_dict(one["attributes"]["held"])
            return seen(validation.step(state.global_step), state, control)

        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:
            return seen(validation.step(state.global_step), state, control)

        def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:
            every = validation.every_steps is None
            return seen(validation.check(state.global_step) if every else None, state, control)

    return ValidationTrainerCallback()


def _found(modules: tuple[str, ...], package: str) -> Any:
    """The first of these modules that is installed."""
    for name in modules:
        try:
            return import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not name.startswith(error.name):  # it is there, and lacks something itself
                raise
    raise ProtocolError(f"this callback needs {package}: pip install {package}")
