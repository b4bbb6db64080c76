"""Controls: clips whose rank is known before anything is measured.

    frames     what frames alone can suffer: time, blur, noise, compression, quantisation, creep
    sound      what sound alone can suffer
    exact      the same performance with one thing changed, where a synthetic set knows how it was made
    table      every ``ctl-*`` by name
    orderings  how each metric must rank them, and why
    system     a control behind the runner; it sees the reference, and no generator does
    takes      the demo's controls of a head and its track

``thgeval.controls`` has those that ``thgeval score --controls`` makes of a user's own references, a frozen mouth among
them.

A metric is judged by how it ranks these. The copy must be best or tied for best wherever there is a reference; a still
picture must not win a metric of motion; stronger blur, noise and compression must not score better than weaker; a
picture late against its sound must lose synchrony.
"""
