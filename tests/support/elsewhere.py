"""What tests of places elsewhere share: a bucket, its key, and looks at what a run left behind."""

SECRET = "verysecretkey"
BUCKET = "bucket"


def uploaded(client, folder, prefix):
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            client.upload_file(str(path), BUCKET, f"{prefix}/{path.relative_to(folder).as_posix()}")
    return f"s3://{BUCKET}/{prefix}"


def blobs(home):
    return [path for path in (home / "fetched" / "blobs").rglob("*") if path.is_file()]


def everything_below(folder):
    """All bytes that a run left behind, to look for what must not be among them."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
