"""A store of made pictures, so that a critic does not forget what it once saw through.

Source: Shrivastava et al. 2017 (arXiv:1612.07828), as Zhu et al. 2017 (arXiv:1703.10593) use it.
Differs: a batch takes its places by one permutation, so that it is one compiled operation; the
store is a weight, which checkpoints keep with all others.
"""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="atelier")
class ReplayBuffer(keras.layers.Layer):
    """Gives back new pictures or, every second time once it is full, old ones in their stead.

    Takes and gives (b, h, w, 3) in [0, 255]; an old picture that is given back makes room for
    the new one. Kept in float16: to an eighth of a level.

    Args:
        capacity: pictures that are kept, as many whole batches as it holds; where it holds
            none, every batch comes back as it is.
        size: pixels of both sides.
        batch_size: b.
        seed: of the draws.
    """

    def __init__(self, capacity, size, batch_size=1, *, seed=0, **options):
        super().__init__(**{**options, "dtype": "float32"})
        self.capacity, self.size, self.batch_size, self.seed = capacity, size, batch_size, seed
        self.generator = keras.random.SeedGenerator(seed)
        self.kept = self.add_weight(
            (max(1, capacity), size, size, 3),
            dtype="float16",
            initializer="zeros",
            trainable=False,
            name="kept",
        )
        self.count = self.add_weight(
            (), dtype="int32", initializer="zeros", trainable=False, name="count"
        )
        self.built = True

    def call(self, pictures):
        """Keep some of a batch, and give as many back."""
        batch = self.batch_size
        usable = self.capacity // batch * batch
        if not usable:
            return pictures
        filling = self.count < usable
        order = keras.random.shuffle(ops.arange(usable), seed=self.generator)[:batch]
        places = ops.where(filling, self.count + ops.arange(batch), order)
        coin = keras.random.uniform((batch, 1, 1, 1), seed=self.generator) < 0.5
        swapped = ops.logical_and(ops.logical_not(filling), coin)
        old, new = ops.take(self.kept, places, axis=0), ops.cast(pictures, "float16")
        stored = ops.where(ops.logical_or(filling, swapped), new, old)
        self.kept.assign(ops.scatter_update(self.kept, places[:, None], stored))
        self.count.assign(ops.minimum(self.count + batch, usable))
        return ops.where(swapped, ops.cast(old, pictures.dtype), pictures)

    def compute_output_shape(self, shape):
        """That of the batch."""
        return shape

    def get_config(self):
        """The layer's arguments."""
        names = ("capacity", "size", "batch_size", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
