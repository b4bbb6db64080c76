# A place to score again in, with the versions of constraints.txt. No weights are in it: mount a THGEVAL_HOME that has them.
#   docker build -t thgeval .
#   docker run --rm -v "$PWD:/clips" -v "$THGEVAL_HOME:/var/lib/thgeval" thgeval score pred gt -o scores.json
FROM python:3.11.13-slim-bookworm

RUN useradd --create-home scorer && install --directory --owner scorer /var/lib/thgeval
COPY constraints.txt pyproject.toml README.md LICENSE CITATION.cff /src/
COPY thgeval /src/thgeval
COPY reference_models/thgeval_models /src/reference_models/thgeval_models
COPY baselines/thgeval_baselines /src/baselines/thgeval_baselines
COPY leaderboard/thgeval_leaderboard /src/leaderboard/thgeval_leaderboard
RUN python -m pip install --no-cache-dir --constraint /src/constraints.txt "pip>=25.3" \
    && python -m pip install --no-cache-dir --constraint /src/constraints.txt --build-constraint /src/constraints.txt "/src[demo,faces,speech]"

USER scorer
ENV THGEVAL_HOME=/var/lib/thgeval
WORKDIR /clips
ENTRYPOINT ["thgeval"]
CMD ["--help"]
