"""One process of two: counts its share of clips and says what all of them score. Run by ``test_processes``.

python two_processes.py RANK STORE SHARES.json OUT.json
"""

import json
import sys
import warnings
from pathlib import Path

import torch
import torch.distributed as dist
from torchmetrics import MetricCollection

from thgeval import training
from thgeval.errors import InputError

NAMES = [f"clip-{number}" for number in range(7)]


def clips():
    """Seven pairs of clips of three frames: uint8 (7, 3, 3, 20, 22)."""
    drawn = torch.Generator().manual_seed(1)
    reference = torch.randint(0, 256, (7, 3, 3, 20, 22), dtype=torch.uint8, generator=drawn)
    noise = torch.randint(-40, 40, reference.shape, generator=drawn)
    return (reference.int() + noise).clamp(0, 255).to(torch.uint8), reference


def collection():
    """Metrics of every kind of state."""
    made = {
        "l1": training.L1(),
        "psnr": training.PSNR(),
        "ssim": training.SSIM(),
        "f-mse": training.FMSE(),
        "named": training.SSIM(),
        "there": training.PSNR(identical="cap100"),
        "fid-random": training.RandomFID(),
        "fid": training.FID(features="x"),
    }
    return MetricCollection(made, compute_groups=False)


def counted(metrics, some):
    """Update every metric with some of the clips, one by one."""
    generated, reference = clips()
    for index in some:
        sides = generated[index : index + 1], reference[index : index + 1]
        for name, metric in metrics.items():
            if name == "fid":
                metric.update(*(side.float().flatten(0, 1).mean((2, 3)) for side in sides))
            else:
                metric.update(*sides, clips=[NAMES[index]] if name == "named" else None)


def said(metrics):
    """Scores by name, and the run of the metric whose clips have names."""
    scores = {name: value.item().hex() for name, value in metrics.compute().items()}
    run = metrics["named"].result()
    return {"scores": scores, "clips": [clip.id for clip in run.clips], "interval": list(run["ssim"].interval)}


def validated():
    """What validation finds of five clips, of which one fails, and of one, which leaves a process without any."""
    generated, reference = (side.float() / 255 for side in clips())
    held = {NAMES[index]: (generated[index], reference[index]) for index in range(5)}
    held[NAMES[4]] = (generated[4][:1], reference[4])
    looks = training.Validation(torch.nn.Linear(1, 1), held, lambda made: made, metrics=["psnr"], data_range=1.0)
    alone = training.Validation(torch.nn.Linear(1, 1), {"one": held[NAMES[0]]}, lambda made: made, data_range=1.0)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        found = looks.check(0)
        few = alone.check(0)
    return {
        "scores": {key: value.hex() for key, value in found.scores.items()},
        "coverage": found.coverage,
        "worst": found.worst.clip,
        "one": few.scores,
        "warned": len(warned),
    }


def wrapped(watch):
    """The last loss and weights of a few steps of a wrapped model with batch norm, looked at on one clip or not."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 3, 3, padding=1), torch.nn.BatchNorm2d(3))
    ddp = torch.nn.parallel.DistributedDataParallel(model)
    reference = torch.rand(2, 3, 8, 8)

    def generate(inputs):
        return ddp(inputs.flatten(0, 1)).reshape(inputs.shape).clamp(0, 1)

    held = {"one": (reference, reference)}
    looks = training.Validation(ddp, held, generate, metrics=["psnr"], data_range=1.0, every_steps=1)
    optimiser, scores = torch.optim.SGD(ddp.parameters(), 0.1), []
    for step in range(3):
        if watch:
            scores.append(looks.step(step).scores["psnr"])
        inputs = torch.rand(2, 3, 8, 8) * (1 + dist.get_rank())
        loss = (ddp(inputs) - inputs).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return [loss.item().hex(), model[0].weight.sum().item().hex(), model[1].running_mean.sum().item().hex()], scores


def named_by_one():
    """What is said where one process alone gave names to its clips."""
    metric, (generated, reference) = training.PSNR(), clips()
    metric.update(generated[:1], reference[:1], clips=[NAMES[0]] if dist.get_rank() else None)
    try:
        metric.compute()
    except InputError as error:
        return str(error)
    return None


def main(rank, store, shares, out):
    """Join the other process, count, and write what all score, twice: the second time after another clip."""
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
    warnings.filterwarnings("ignore", message="The ``compute`` method of metric")  # one has nothing to count at first
    found = []
    metrics = collection()
    for share in shares:
        counted(metrics, share[rank])
        found.append(said(metrics))
    alone, watched = wrapped(watch=False), wrapped(watch=True)
    of_wrapped = {"alone": alone[0], "watched": watched[0], "scores": watched[1]}
    whole = {"stages": found, "validated": validated(), "wrapped": of_wrapped, "named_by_one": named_by_one()}
    Path(out).write_text(json.dumps(whole))
    dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], json.loads(Path(sys.argv[3]).read_text()), sys.argv[4])
