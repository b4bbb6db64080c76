"""Draw report.png, the README's picture: the report of the demo's clips at crf 30, as a browser shows it.

``python docs/images/report.py`` needs the extras ``demo`` and ``faces``, playwright and Chromium. The picture shows the
head with the first scores, and below a grey bar the worst moments.
"""

import io
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

import thgeval
from thgeval.report import write
from thgeval_baselines.demo import make_demo

PICTURE = Path(__file__).with_suffix(".png")
CLIPS, SECONDS, REPORTED = 6, 3.0, "crf30"
METRICS = ("psnr", "ssim", "cpbd", "f-mse", "lmd", "mouth-correlation", "blinks-per-s", "sync-lm-conf")
WIDTH, HEAD, FRAMES, BAR = 1200, 900, 450, 8
COLOURS = 256


def report(folder: Path) -> Path:
    """The report of a run over clips made on the spot."""
    demo = make_demo(folder / "clips", clips=CLIPS, seconds=SECONDS)
    result = folder / f"{REPORTED}.json"
    thgeval.evaluate(demo.controls[REPORTED], demo.reference, metrics=METRICS, options=thgeval.Options(out=result))
    return write(result, result.with_suffix(".html"))


def shown(page: Page, top: float, height: int) -> Image.Image:
    """A part of the page, over its whole width."""
    clip = {"x": 0.0, "y": top, "width": float(WIDTH), "height": float(height)}
    return Image.open(io.BytesIO(page.screenshot(full_page=True, clip=clip))).convert("RGB")


def picture(address: str) -> Image.Image:
    """The head of the report and its worst moments, one above the other."""
    with sync_playwright() as running:
        browser = running.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": WIDTH, "height": HEAD}, color_scheme="light")
        page.goto(address)
        worst = page.locator("figure.card").first.evaluate("it => it.getBoundingClientRect().top + scrollY")
        parts = shown(page, 0, HEAD), shown(page, worst - 12, FRAMES)
        browser.close()
    whole = Image.new("RGB", (WIDTH, HEAD + BAR + FRAMES), (221, 221, 221))
    whole.paste(parts[0], (0, 0))
    whole.paste(parts[1], (0, HEAD + BAR))
    return whole


def main() -> None:
    """Write the picture anew."""
    with tempfile.TemporaryDirectory() as folder:
        made = picture(report(Path(folder)).as_uri())
    made.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
