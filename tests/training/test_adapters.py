"""The callbacks of frameworks, which are not installed: small stand-ins call them as the frameworks do."""

import json
import sys
from types import ModuleType, SimpleNamespace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("torchmetrics")

from torch import nn

from thgeval.errors import ProtocolError
from thgeval.training import Validation
from thgeval.training.adapters import for_hf_trainer, for_lightning
from thgeval.training.sinks import to_accelerate, to_tensorboard

CLIPS = 6


def validation(**how):
    """Of a model whose frames get worse with every check."""
    drawn = torch.Generator().manual_seed(0)
    clips = {str(number): (one := torch.rand(1, 3, 4, 4, generator=drawn), one) for number in range(CLIPS)}
    calls = iter(range(1000))

    def worse(references):
        return references * (0.99 - 0.0001 * next(calls))

    return Validation(nn.Linear(1, 1), clips, worse, metrics=["psnr"], data_range=1.0, **how)


class Keeper:
    """A logger, tracker or writer that keeps what it is called with."""

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        return lambda *args, **kwargs: self.calls.append((name, args, kwargs))


@pytest.fixture
def lightning(monkeypatch):
    """``lightning.pytorch`` with a ``Callback`` that has every hook, as Lightning asks for."""

    class Callback:
        def on_train_epoch_end(self, trainer, module):
            return

    package, module = ModuleType("lightning"), ModuleType("lightning.pytorch")
    package.pytorch, module.Callback = module, Callback
    monkeypatch.setitem(sys.modules, "lightning", package)
    monkeypatch.setitem(sys.modules, "lightning.pytorch", module)
    return Callback


@pytest.fixture
def transformers(monkeypatch):
    """``transformers`` with a ``TrainerCallback``, and what callbacks that are saved derive from."""
    module, inner = ModuleType("transformers"), ModuleType("transformers.trainer_callback")
    module.TrainerCallback = type("TrainerCallback", (), {})
    inner.ExportableState = type("ExportableState", (), {})
    monkeypatch.setitem(sys.modules, "transformers", module)
    monkeypatch.setitem(sys.modules, "transformers.trainer_callback", inner)
    return inner


def lightning_trainer():
    return SimpleNamespace(
        global_step=0, should_stop=False, is_global_zero=True, loggers=[Keeper()], sanity_checking=False
    )


def test_lightning_checks_logs_and_stops(lightning):
    looks = validation(every_steps=2, patience=1)
    callback, trainer = for_lightning(looks), lightning_trainer()
    assert isinstance(callback, lightning)
    callback.on_train_start(trainer, None)
    for batch, trainer.global_step in enumerate((0, 1, 1, 2, 2)):  # two batches a step
        assert not trainer.should_stop
        callback.on_train_batch_end(trainer, None, None, None, batch)
        if trainer.global_step == 2:
            break
    assert trainer.should_stop
    logged = [(name, kwargs["step"]) for name, _, kwargs in trainer.loggers[0].calls]
    assert logged == [("log_metrics", 0), ("log_metrics", 2)]
    (scores,) = trainer.loggers[0].calls[0][1]
    assert list(scores) == ["validation/psnr"]


def test_lightning_keeps_the_best_in_its_checkpoints(lightning):
    callback, trainer = for_lightning(validation(every_steps=2)), lightning_trainer()
    callback.on_train_start(trainer, None)
    again = validation(every_steps=2)
    for_lightning(again).load_state_dict(callback.state_dict())
    assert again.check(4).best_step == 0


def test_lightning_decides_when_without_steps(lightning):
    callback, trainer = for_lightning(validation(run_at_start=False)), lightning_trainer()
    callback.on_train_start(trainer, None)
    trainer.global_step, trainer.sanity_checking = 3, True
    callback.on_validation_end(trainer, None)
    assert trainer.loggers[0].calls == []
    trainer.sanity_checking = False
    callback.on_validation_end(trainer, None)
    assert [kwargs["step"] for _, _, kwargs in trainer.loggers[0].calls] == [3]


def test_the_trainer_of_hugging_face_checks_logs_and_stops(transformers):
    callback = for_hf_trainer(validation(every_steps=2, patience=1))
    state = SimpleNamespace(global_step=0, log_history=[])
    control = SimpleNamespace(should_training_stop=False)
    assert callback.on_train_begin(None, state, control, model=None) is control
    for state.global_step in (1, 2):
        assert not control.should_training_stop
        callback.on_step_end(None, state, control, model=None)
        callback.on_evaluate(None, state, control, metrics={})
    assert control.should_training_stop
    assert [entry["step"] for entry in state.log_history] == [0, 2]
    assert state.log_history[0].keys() == {"validation_psnr", "step"}


def test_the_trainer_decides_when_without_steps(transformers):
    callback = for_hf_trainer(validation(run_at_start=False))
    state = SimpleNamespace(global_step=7, log_history=[])
    control = SimpleNamespace(should_training_stop=False)
    callback.on_train_begin(None, state, control)
    callback.on_step_end(None, state, control)
    callback.on_evaluate(None, state, control)
    assert [entry["step"] for entry in state.log_history] == [7]


def test_the_trainer_keeps_the_best_in_its_checkpoints(transformers):
    callback = for_hf_trainer(validation())
    assert isinstance(callback, transformers.ExportableState)
    state = SimpleNamespace(global_step=0, log_history=[], stateful_callbacks={})
    callback.on_train_begin(None, state, SimpleNamespace(should_training_stop=False))
    saved = json.loads(json.dumps({"TrainerControl": {}, type(callback).__name__: callback.state()}))
    again = validation()
    state = SimpleNamespace(global_step=3, log_history=[], stateful_callbacks=saved)
    for_hf_trainer(again).on_train_begin(None, state, SimpleNamespace(should_training_stop=False))
    assert again.check(4).best_step == 0


@pytest.mark.parametrize(
    ("adapter", "packages"),
    [(for_lightning, ("lightning", "pytorch_lightning")), (for_hf_trainer, ("transformers",))],
)
def test_a_framework_that_is_not_there_is_named(adapter, packages, monkeypatch):
    for package in packages:
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ProtocolError, match=f"pip install {packages[0]}"):
        adapter(validation())


def test_accelerate_and_tensorboard_are_handed_everything():
    accelerator, writer = Keeper(), Keeper()
    looks = validation(sinks=[to_accelerate(accelerator), to_tensorboard(writer)])
    checked = looks.check(5)
    assert accelerator.calls == [("log", ({"validation/psnr": checked.scores["psnr"]},), {"step": 5})]
    scalars = {args[0]: args[1:] for name, args, _ in writer.calls if name == "add_scalar"}
    assert scalars == {"validation/psnr": (checked.scores["psnr"], 5), "validation/coverage": (1.0, 5)}
    (picture,) = [args[1] for name, args, _ in writer.calls if name == "add_image"]
    assert picture.shape == checked.worst.image.shape
