"""What the driver asks of Ray, done at once in this process; what travels is pickled, accidents can be staged."""

import pickle
from types import SimpleNamespace


class RayError(Exception):
    pass


class RayTaskError(RayError):
    def __init__(self, cause):
        super().__init__(str(cause))
        self.cause = cause


class ActorDiedError(RayError):
    pass


class Answer:
    value = error = None


class Method:
    def __init__(self, actor, name):
        self.actor, self.name = actor, name

    def remote(self, *given):
        return self.actor.answered(self.name, pickle.dumps(given))


class Actor:
    def __init__(self, ray, kind, given):
        self.ray, self.made = ray, (kind, pickle.dumps(given))
        self.held = None

    def __getattr__(self, name):
        return Method(self, name)

    def answered(self, name, given):
        answer = Answer()
        self.ray.calls.append(name)
        try:
            if self.held is None:
                kind, made = self.made
                self.held = kind(*pickle.loads(made))
            given = pickle.loads(given)
            self.ray.accident(name, *given)
            answer.value = pickle.dumps(getattr(self.held, name)(*given))
        except RayError as error:
            self.held, answer.error = None, error  # it starts anew when it is asked again
        except Exception as error:
            answer.error = RayTaskError(error)
        return answer


class PretendedRay:
    """A module called ray, of a cluster with so many cores; ``accident`` is called before each method of an actor."""

    exceptions = SimpleNamespace(RayError=RayError, RayTaskError=RayTaskError, ActorDiedError=ActorDiedError)

    def __init__(self, cores=2.0, accident=lambda name, *given: None):
        self.cores, self.accident = cores, accident
        self.head = ""
        self.calls, self.options, self.sizes = [], {}, []

    def is_initialized(self):
        return False

    def init(self, **options):
        self.options = options

    def shutdown(self):
        pass

    def cluster_resources(self):
        return {"CPU": self.cores}

    def get_runtime_context(self):
        return SimpleNamespace(gcs_address=self.head)

    def remote(self, **options):
        self.asked = options
        return lambda kind: SimpleNamespace(remote=lambda *given: Actor(self, kind, given))

    def wait(self, answers, *, num_returns, timeout):
        return answers[:num_returns], answers[num_returns:]

    def get(self, answer):
        if answer.error is not None:
            raise answer.error
        self.sizes.append(len(answer.value))
        return pickle.loads(answer.value)

    def kill(self, actor):
        pass
