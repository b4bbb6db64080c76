"""A stub checkout for each adapter: the real script's arguments, the names it gives its output, and how it fails.

``options`` are those of the real script at the commit that its manifest names, as its parser declares them:
``--name`` takes a value, ``--name!`` is required, ``--name?`` is a flag, ``--name*`` takes several. ``body`` runs with
``args`` and writes what the real script would.
"""

import re
import stat
import sys
from dataclasses import dataclass
from pathlib import Path

from thgeval_baselines.adapters import manifests

SUPPORT = Path(__file__).parent.parent
KEPT = {"cv2", "scipy", "numpy", "av", "PIL", "yaml"}
"""Modules that a stub really uses; the others are empty ones of the same name."""


@dataclass(frozen=True)
class Stub:
    scripts: dict[str, tuple[str, str]]  # path: options, body
    extra: dict[str, str] = None  # further files of the checkout


def parser(options):
    lines = ["import argparse", "parser = argparse.ArgumentParser()"]
    for word in options.split():
        names, mark = re.fullmatch(r"(.+?)([!?*]?)", word).groups()
        how = {"!": "required=True", "?": 'action="store_true"', "*": 'nargs="*"', "": "default=None"}[mark]
        listed = ", ".join(repr(name) for name in names.split("|"))
        lines.append(f"parser.add_argument({listed}, {how})")
    return "\n".join([*lines, "args = parser.parse_args()"])


def built(id, folder):
    """Make the stub checkout of an adapter, with empty files wherever its manifest needs one."""
    stub, manifest = STUBS[id], manifests()[id]
    for needed in manifest.files:
        name = needed.any[0].replace("{weights}", str(manifest.data.get("weights", "."))).replace("{checkout}/", "")
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"weights") if path.suffix else path.mkdir(exist_ok=True)
    for name, (options, body) in stub.scripts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        head = "import sys, os, glob, time, shutil\n"
        head += f"sys.path.insert(0, {str(SUPPORT)!r})\nfrom support.pretending import *\n"
        path.write_text(f"{head}{parser(options)}\n{body}\n")
    for name, text in (stub.extra or {}).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    git = folder / ".git"
    git.mkdir()
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    (git / "packed-refs").write_text(f"# pack-refs\n{manifest.commit} refs/heads/main\n")
    return folder


def interpreter(id, folder):
    """An interpreter that has the modules of an adapter, empty ones, before those of this one."""
    for module in manifests()[id].environment.get("modules", ()):
        if module not in KEPT:
            (folder / "fakes" / module).mkdir(parents=True, exist_ok=True)
            text = "def manual_seed(seed):\n    print('seeded with', seed)\n" if module == "torch" else ""
            (folder / "fakes" / module / "__init__.py").write_text(text)
    path = folder / "python"
    path.write_text(f'#!/bin/sh\nPYTHONPATH="{folder}/fakes:$PYTHONPATH" exec {sys.executable} "$@"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


MOTION = "source = frames_of(args.source_image)[0]\ndriving = frames_of(args.driving_video)\n"

STUBS = {
    "wav2lip": Stub(
        {
            "inference.py": (
                (
                    "--checkpoint_path! --face! --audio! --outfile --static --fps --pads* --face_det_batch_size "
                    "--wav2lip_batch_size --resize_factor --crop* --box* --rotate? --nosmooth?"
                ),
                """
exists(args.checkpoint_path, args.face)
seconds, rate, levels = seconds_of(args.audio)
if not levels[:200].any():
    raise ValueError('Mel contains nan! Using a TTS voice? Add a small epsilon noise to the wav file and try again')
face = frames_of(args.face)
if args.face.split('.')[1] in ['jpg', 'png', 'jpeg']:
    face = face[:1]
count = round(25 * seconds) - 3
os.makedirs('temp', exist_ok=True)
open('temp/result.avi', 'w').close()
moved = nodding(face[0], count) if len(face) == 1 else [face[i % len(face)] for i in range(count)]
write(args.outfile, moved, 25, sound=args.audio)
""",
            )
        }
    ),
    "sadtalker": Stub(
        {
            "inference.py": (
                (
                    "--driven_audio --source_image --ref_eyeblink --ref_pose --checkpoint_dir --result_dir "
                    "--pose_style "
                    "--batch_size --size --expression_scale --input_yaw* --input_pitch* --input_roll* --enhancer "
                    "--background_enhancer --cpu? --face3dvis? --still? --preprocess --verbose? --old_version?"
                ),
                """
import torch
assert glob.glob(args.checkpoint_dir + '/*.safetensors')
seconds, rate, _ = seconds_of(args.driven_audio)
picture = frames_of(args.source_image)[0]
folder = os.path.join(args.result_dir, time.strftime('%Y_%m_%d_%H.%M.%S'))
os.makedirs(folder)
import random
count = round(25 * seconds)
write(folder + '.mp4', nodding(picture, count), 25, sound=args.driven_audio)
shutil.rmtree(folder)
print('random', random.random(), np.random.random())
""",
            )
        }
    ),
    "fomm": Stub(
        {
            "demo.py": (
                (
                    "--config! --checkpoint --source_image --driving_video --result_video --relative? --adapt_scale? "
                    "--find_best_frame? --best_frame --cpu? --audio?"
                ),
                (
                    f"{MOTION}exists(args.config, args.checkpoint)\nassert source.shape == (256, 256, 3), "
                    "source.shape\n"
                    "assert driving.shape[1:] == (256, 256, 3)\n"
                    "write(args.result_video, nodding(source, len(driving)), 25)"
                ),
            )
        }
    ),
    "dagan": Stub(
        {
            "demo.py": (
                (
                    "--config! --checkpoint --source_image --driving_video --result_video --relative? --adapt_scale? "
                    "--generator! --kp_num! --find_best_frame? --best_frame --cpu?"
                ),
                (
                    f"{MOTION}exists('depth/models/weights_19/encoder.pth', args.checkpoint)\nassert "
                    "args.kp_num == '15'\n"
                    "write(args.result_video, nodding(source, len(driving)), 25)"
                ),
            )
        }
    ),
    "dreamtalk": Stub(
        {
            "inference_for_demo_video.py": (
                (
                    "--wav_path --image_path --disable_img_crop? --style_clip_path --pose_path --max_gen_len "
                    "--cfg_scale "
                    "--output_name --device"
                ),
                """
exists(args.style_clip_path, args.pose_path, 'checkpoints/renderer.pt')
assert ' ' not in args.wav_path
seconds, rate, _ = seconds_of(args.wav_path)
picture = frames_of(args.image_path)[0]
write('output_video/' + args.output_name + '.mp4', nodding(picture, round(25 * seconds)), 25, sound=args.wav_path)
""",
            )
        }
    ),
    "makeittalk": Stub(
        {
            "main_end2end.py": (
                (
                    "--jpg --close_input_face_mouth? --load_AUTOVC_name --load_a2l_G_name --load_a2l_C_name "
                    "--load_G_name "
                    "--amp_lip_x --amp_lip_y --amp_pos --add_audio_in? --output_folder --dump_dir"
                ),
                """
picture = frames_of('examples/' + args.jpg)[0]
assert picture.shape == (256, 256, 3)
exists('examples/ckpt/ckpt_autovc.pth', 'examples/dump/emb.pickle')
open('out.mp4', 'w').close()
sounds = [name for name in os.listdir('examples') if name.endswith('.wav')]
assert len(sounds) == 1, sounds
for sound in sounds:
    place = 'examples/' + sound
    name = args.jpg.split('.')[0] + '_pred_fls_' + sound.split('.')[0] + '_audio_embed.mp4'
    open('examples/dump/random_val_fl.pickle', 'w').close()
    count = round(62.5 * seconds_of(place)[0])
    write('examples/' + name, nodding(picture, count), Fraction(125, 2), sound=place, panels=3)
""",
            )
        },
        {"examples/other.wav": "of somebody else", "examples/other.jpg": "of somebody else"},
    ),
    "liveportrait": Stub(
        {
            "inference.py": (
                "-s|--source -d|--driving -o|--output-dir --flag_force_cpu? --flag_crop_driving_video?",
                """
driving = frames_of(args.driving)
picture = frames_of(args.source)[0]
stems = os.path.splitext(os.path.basename(args.source))[0] + '--' + os.path.splitext(os.path.basename(args.driving))[0]
write(args.output_dir + '/' + stems + '_concat.mp4', nodding(picture, len(driving)), 25, panels=3)
write(args.output_dir + '/' + stems + '.mp4', nodding(picture, len(driving)), 25)
""",
            )
        }
    ),
    "echomimic": Stub(
        {
            "infer_audio2vid.py": (
                (
                    "--config -W -H -L --seed --facemusk_dilation_ratio --facecrop_dilation_ratio --context_frames "
                    "--context_overlap --cfg --steps --sample_rate --fps --device"
                ),
                """
import yaml
config = yaml.safe_load(open(args.config))
assert config['pretrained_vae_path'] == './pretrained_weights/sd-vae-ft-mse', config
(picture, (sound,)), = config['test_cases'].items()
seconds = seconds_of(sound)[0]
stem = lambda path: os.path.splitext(os.path.basename(path))[0]
folder = 'output/20260101/1200--seed_%s-%sx%s' % (args.seed, args.W, args.H)
name = '%s/%s_%s_%sx%s_2_1200' % (folder, stem(picture), stem(sound), args.H, args.W)
frames = nodding(frames_of(picture)[0], round(int(args.fps) * seconds))
write(name + '.mp4', frames, int(args.fps))
write(name + '_withaudio.mp4', frames, int(args.fps), sound=sound)
""",
            )
        },
        {"configs/prompts/animation.yaml": "pretrained_vae_path: ./pretrained_weights/sd-vae-ft-mse\ntest_cases: {}\n"},
    ),
    "hallo": Stub(
        {
            "scripts/inference.py": (
                (
                    "-c|--config --source_image --driving_audio --output --pose_weight --face_weight --lip_weight "
                    "--face_expand_ratio --audio_ckpt_dir|--checkpoint"
                ),
                """
picture = frames_of(args.source_image)[0]
assert picture.shape == (512, 512, 3)
seconds = seconds_of(args.driving_audio)[0]
os.makedirs('.cache', exist_ok=True)
write(args.output, nodding(picture, round(25 * seconds)), 25, sound=args.driving_audio)
""",
            )
        }
    ),
    "musetalk": Stub(
        {
            "scripts/inference.py": (
                (
                    "--ffmpeg_path --gpu_id --vae_type --unet_config --unet_model_path --whisper_dir "
                    "--inference_config "
                    "--bbox_shift --result_dir --extra_margin --fps --audio_padding_length_left "
                    "--audio_padding_length_right --batch_size --output_vid_name --use_saved_coord? --saved_coord? "
                    "--use_float16? --parsing_mode --left_cheek_width --right_cheek_width --version"
                ),
                """
import yaml
for task in yaml.safe_load(open(args.inference_config)).values():
    face = frames_of(task['video_path'])
    count = round(25 * seconds_of(task['audio_path'])[0])
    moved = nodding(face[0], count) if len(face) == 1 else [face[i % len(face)] for i in range(count)]
    write(os.path.join(args.result_dir, args.version, task['result_name']), moved, 25, sound=task['audio_path'])
""",
            )
        }
    ),
    "latentsync": Stub(
        {
            "scripts/inference.py": (
                (
                    "--unet_config_path --inference_ckpt_path! --video_path! --audio_path! --video_out_path! "
                    "--inference_steps --guidance_scale --temp_dir --seed --enable_deepcache?"
                ),
                """
exists(args.unet_config_path, args.inference_ckpt_path)
face = frames_of(args.video_path)
count = round(25 * seconds_of(args.audio_path)[0])
write(args.video_out_path, [face[i % len(face)] for i in range(count)], 25, sound=args.audio_path)
""",
            )
        }
    ),
    "tpsmm": Stub(
        {
            "demo.py": (
                (
                    "--config! --checkpoint --source_image --driving_video --result_video --img_shape --mode "
                    "--find_best_frame? --cpu?"
                ),
                (
                    f"{MOTION}exists(args.config, args.checkpoint)\n"
                    "write(args.result_video, nodding(source, len(driving)), 25)"
                ),
            )
        }
    ),
    "pcavs": Stub(
        {
            "scripts/prepare_testing_files.py": (
                (
                    "--dir_path --src_pose_path --src_audio_path --src_mouth_frame_path --src_input_path --csv_path "
                    "--convert_spectrogram?"
                ),
                """
assert args.src_audio_path.endswith('.mp3') and open(args.src_audio_path, 'rb').read(1)
frames = len(frames_of(args.src_pose_path))
os.makedirs(args.dir_path, exist_ok=True)
fields = [args.src_input_path, 1, args.src_pose_path, frames, args.src_audio_path, 'None', 0, 'None']
open(args.csv_path, 'w').write(' '.join(map(str, fields)) + '\\n')
""",
            ),
            "inference.py": (
                (
                    "--name --meta_path_vox --dataset_mode --netG --netA --netA_sync --netD --netV --netE --model "
                    "--gpu_ids --clip_len --batchSize --style_dim --nThreads --input_id_feature? --generate_interval "
                    "--style_feature_loss? --use_audio --noise_pose? --driving_pose? --gen_video? "
                    "--generate_from_audio_only?"
                ),
                """
for line in open(args.meta_path_vox):
    try:
        picture, _, pose, count, sound = line.split()[:5]
        assert len(line.split()) == 8
        stem = lambda path: os.path.splitext(os.path.basename(path))[0]
        folder = 'results/id_%s_pose_%s_audio_%s' % (stem(picture), stem(pose), stem(sound))
        frames = nodding(frames_of(picture)[0], int(count))
        write(folder + '/avconcat.mp4', frames, 25, panels=3)
        write(folder + '/G_Pose_Driven_.mp4', frames, 25)
    except Exception as error:
        print(error)
""",
            ),
        }
    ),
    "er-nerf": Stub(
        {
            "data_utils/deepspeech_features/extract_ds_features.py": (
                "--input! --output --deepspeech --metainfo",
                "np.save(os.path.splitext(args.input)[0] + '.npy', np.array(seconds_of(args.input)[0]))",
            ),
            "main.py": (
                "path -O? --test? --test_train? --workspace --seed --iters --ckpt --torso? --head_ckpt --aud --asr?",
                """
exists(args.path, args.workspace + '/checkpoints')
frames = nodding(frames_of(args.path + '/ori.png')[0], round(25 * float(np.load(args.aud))))
write(args.workspace + '/results/ngp_ep0050.mp4', frames, 25)
write(args.workspace + '/results/ngp_ep0050_depth.mp4', frames, 25)
""",
            ),
        }
    ),
    "real3dportrait": Stub(
        {
            "inference/real3d_infer.py": (
                (
                    "--a2m_ckpt --head_ckpt --torso_ckpt --src_img --bg_img --drv_aud --drv_pose --blink_mode "
                    "--temperature --mouth_amp --head_torso_threshold --out_name --out_mode --map_to_init_pose --seed "
                    "--min_face_area_percent --low_memory_usage?"
                ),
                """
picture = frames_of(args.src_img)[0]
assert args.drv_pose == 'static' or os.path.exists(args.drv_pose)
panels = 1 if args.out_mode == 'final' else 3
write(args.out_name, nodding(picture, round(25 * seconds_of(args.drv_aud)[0])), 25, sound=args.drv_aud, panels=panels)
""",
            )
        }
    ),
    "aniportrait": Stub(
        {
            "scripts/audio2vid.py": (
                "--config -W -H -L --seed --cfg --steps --fps -acc|--accelerate? --fi_step",
                """
import yaml
(picture, (sound,)), = yaml.safe_load(open(args.config))['test_cases'].items()
stem = lambda path: os.path.splitext(os.path.basename(path))[0]
folder = 'output/20260101/1200--seed_%s-%sx%s' % (args.seed, args.W, args.H)
name = '%s/%s_%s_%sx%s_3_1200' % (folder, stem(picture), stem(sound), args.H, args.W)
frames = nodding(frames_of(picture)[0], round(30 * seconds_of(sound)[0]))
write(name + '.mp4', frames, 30, sound=sound)
write(name + '_noaudio.mp4', frames, 30)
""",
            )
        },
        {"configs/prompts/animation_audio.yaml": "pretrained_vae_path: ./pretrained_model/sd-vae\ntest_cases: {}\n"},
    ),
    "video-retalking": Stub(
        {
            "inference.py": (
                (
                    "--DNet_path --LNet_path --ENet_path --face3d_net_path --face! --audio! --exp_img --outfile --fps "
                    "--pads* --face_det_batch_size --LNet_batch_size --img_size --crop* --box* --nosmooth? --static? "
                    "--up_face --one_shot? --without_rl1? --tmp_dir --re_preprocess?"
                ),
                """
os.makedirs(os.path.join('temp', args.tmp_dir), exist_ok=True)
open('temp/{}/result.mp4'.format(args.tmp_dir), 'w').close()
face = frames_of(args.face)
count = round(25 * seconds_of(args.audio)[0])
still = args.face.split('.')[1] in ['jpg', 'png', 'jpeg']
moved = nodding(face[0], count) if still else [face[i % len(face)] for i in range(count)]
write(args.outfile, moved, 25, sound=args.audio)
""",
            )
        }
    ),
    "edtalk": Stub(
        {
            "demo_lip_pose.py": (
                (
                    "--size --channel_multiplier --model --latent_dim_style --latent_dim_lip --latent_dim_pose "
                    "--latent_dim_exp --source_path --audio_driving_path --pose_driving_path --fix_pose? --save_path "
                    "--audio2lip_model_path --model_path --face_sr? --need_crop_source_img? --need_crop_pose_video?"
                ),
                """
assert args.fix_pose or frames_of(args.pose_driving_path).shape[1:] == (256, 256, 3)
picture = frames_of(args.source_path)[0]
count = round(25 * seconds_of(args.audio_driving_path)[0])
write(args.save_path, nodding(picture, count), 25, sound=args.audio_driving_path)
""",
            )
        }
    ),
    "lia": Stub(
        {
            "run_demo.py": (
                (
                    "--size --channel_multiplier --model --latent_dim_style --latent_dim_motion --source_path "
                    "--driving_path --save_folder"
                ),
                """
exists('checkpoints/%s.pt' % args.model)
stem = lambda path: os.path.splitext(os.path.basename(path))[0]
name = '%s/%s/%s_%s.mp4' % (args.save_folder, args.model, stem(args.source_path), stem(args.driving_path))
write(name, nodding(frames_of(args.source_path)[0], len(frames_of(args.driving_path))), 25)
""",
            )
        }
    ),
    "voca": Stub(
        {
            "run_voca.py": (
                (
                    "--tf_model_fname --ds_fname --audio_fname --template_fname --condition_idx --uv_template_fname "
                    "--texture_img_fname --out_path --visualize"
                ),
                """
exists(args.tf_model_fname + '.meta', args.ds_fname, args.template_fname)
seconds, rate, _ = seconds_of(args.audio_fname)
assert rate == 22050
mesh = np.random.default_rng(0).integers(0, 255, (800, 800, 3), dtype=np.uint8)
write(args.out_path + '/video.mp4', nodding(mesh, round(60 * seconds)), 60, sound=args.audio_fname)
""",
            )
        }
    ),
    "faceformer": Stub(
        {
            "demo.py": (
                (
                    "--model_name --dataset --fps --feature_dim --period --vertice_dim --device --train_subjects "
                    "--test_subjects --output_path --wav_path --result_path --condition --subject --background_black "
                    "--template_path --render_template_path"
                ),
                """
assert args.condition in args.train_subjects.split() and args.subject in args.test_subjects.split()
mesh = np.random.default_rng(0).integers(0, 255, (80, 80, 3), dtype=np.uint8)
stem = os.path.splitext(os.path.basename(args.wav_path))[0]
write(args.output_path + '/' + stem + '.mp4', nodding(mesh, round(30 * seconds_of(args.wav_path)[0])), 30)
""",
            )
        }
    ),
    "meshtalk": Stub(
        {
            "animate_face.py": (
                "--model_dir --audio_file --face_template --output",
                """
import torch
exists(args.model_dir)
mesh = np.random.default_rng(0).integers(0, 255, (80, 80, 3), dtype=np.uint8)
write(args.output, nodding(mesh, round(30 * seconds_of(args.audio_file)[0])), 30, sound=args.audio_file)
""",
            )
        }
    ),
}
