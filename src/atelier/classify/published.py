"""Published transfer-learning classifiers as recipes.

Each recipe's comment tells what its source states; what a source leaves open
(most rates, epochs and patiences) is ours. `classify.bodies` puts them on other
bodies, where the published one's weights are missing.
"""

import dataclasses

from atelier.classify.recipe import Phase, ProbeConfig, Recipe
from atelier.data.augment import IDENTITY, PAINTING
from atelier.data.splits import SplitConfig

# The predecessor's ResNet50 on 11 painters: 0.9937 on training, 0.8571 on a random, leaking
# validation set. Stated: the head, that phase 1 trains everything and phase 2 the head and
# the top 50 layers of the body, ReduceLROnPlateau and EarlyStopping.
RESNET50_TWO_PHASE = Recipe(
    name="resnet50_two_phase",
    source="the predecessor's ResNet50 on 11 painters; 85.7 % validation accuracy reported",
    network="transfer",
    backbone="resnet50",
    head="flatten_512_16",
    phases=(
        Phase("everything", epochs=10, learning_rate=1e-4),
        Phase(
            "upper_body",
            epochs=50,
            learning_rate=1e-4,
            patience=20,
            trainable="last:50",
            reduce_on_plateau=(0.1, 5, 0.0),
        ),
    ),
    augment=dataclasses.replace(IDENTITY, shear=5.0, flip=True),
    batch_size=16,
    class_weights=True,
)

# The same body and head, tuned by us as `tuned_cnn` is: the head alone first, from features, then
# with the top of the body, on crops of the pictures, with smoothed labels and averaged weights.
RESNET50_TUNED = RESNET50_TWO_PHASE.replace(
    name="resnet50_tuned",
    source="the predecessor's ResNet50 on 11 painters with our augmentation, label smoothing, "
    "a cosine schedule and averaged weights; the head first, then the top 50 of the body with it; "
    "asked about a picture and its mirror image",
    phases=(
        Phase("feature_extraction", epochs=4, learning_rate=1e-3, trainable="head", augment=None),
        Phase(
            "fine_tuning",
            epochs=30,
            learning_rate=3e-4,
            schedule="cosine",
            warmup_epochs=0.5,
            trainable="last:50",
            batch_norm="frozen",
            body_rate=0.3,
        ),
    ),
    decode_size=(256, 256),
    augment=dataclasses.replace(PAINTING, zoom=(0.6, 1.0)),
    optimizer="adamw",
    weight_decay=0.05,
    label_smoothing=0.1,
    ema_momentum=0.99,
    mirror=True,
)

# A published EfficientNet-B0 on WikiArt's styles. Stated: stage 1 with the body frozen, stage 2
# with its last 50 layers and flips, rotations and zooms; imbalance is handled; EarlyStopping and
# ReduceLROnPlateau. Batch normalisation stays frozen, as Keras's example of fine-tuning
# EfficientNet has it (keras.io/examples/vision/image_classification_efficientnet_fine_tuning).
EFFICIENTNETB0_TWO_STAGE = Recipe(
    name="efficientnetb0_two_stage",
    source="a published EfficientNet-B0 on WikiArt's styles, in two stages",
    network="transfer",
    backbone="efficientnetb0",
    head="pooled",
    head_options={"dropout": 0.3},
    phases=(
        Phase(
            "feature_extraction",
            epochs=15,
            learning_rate=1e-3,
            patience=5,
            trainable="head",
            reduce_on_plateau=(0.2, 2, 1e-6),
            augment=None,
        ),
        Phase(
            "fine_tuning",
            epochs=20,
            learning_rate=1e-4,
            patience=5,
            trainable="last:50",
            batch_norm="frozen",
            reduce_on_plateau=(0.2, 2, 1e-7),
        ),
    ),
    split=SplitConfig(label="style"),
    augment=dataclasses.replace(IDENTITY, flip=True, rotation=20.0, zoom=(0.8, 1.2)),
    class_weights=True,
)

# A published DenseNet-121 on five movements of Painter by Numbers: 66.75 % on its test set.
# Stated: the head, the layers that learn, the rate and its halving, the batch, the epochs and
# the views; no augmentation is. The published 75:15:15 adds up to 105 and is taken in
# proportion, 71:14:14; views of one painting, and its reproductions, stay in one part.
DENSENET121_MOVEMENTS = Recipe(
    name="densenet121_movements",
    source="a published DenseNet-121 on five movements, six views a painting; "
    "66.75 % test accuracy reported",
    network="transfer",
    backbone="densenet121",
    head="pooled",
    head_options={"dropout": 0.5, "batch_norm": True},
    phases=(
        Phase(
            "training",
            epochs=15,
            learning_rate=1e-4,
            schedule="halve",
            schedule_epochs=2,
            trainable=(
                "conv5_block15_2_conv",
                "conv5_block16_1_conv",
                "conv5_block16_2_conv",
                "*bn",
            ),
        ),
    ),
    split=SplitConfig(label="movement", fractions=(75 / 105, 15 / 105, 15 / 105)),
    image_size=(256, 256),
    decode_size=(256, 256),
    train_size=(256, 256),
    fit="pad",
    augment=None,
    views="six",
)

_COLORS = dataclasses.replace(IDENTITY, flip=True, brightness=0.2, contrast=0.2, saturation=0.2)
_CROPS = dataclasses.replace(_COLORS, zoom=(0.875, 0.875), crop=True)  # 224 of 256 pixels
_SOME_CROPS = dataclasses.replace(_CROPS, crop_probability=0.5)


def _efficientnetb2(task, *, head, frozen, augment, loss_options, **schedule):
    """A published EfficientNet-B2 on one of ArtGAN's lists of WikiArt.

    Stated: the lists, the heads, 224 or 300 pixels, what augments each task, focal
    loss, AdamW with its decay, the schedules, class weights by scikit-learn, two
    phases, and how many of the first layers stay frozen. Read here as: first the
    head, then all but these layers; cosine annealing as restarts every T batches
    (Loshchilov & Hutter 2016, arXiv:1608.03983); alpha 1 where none is stated; a
    crop that is "conditional" as one for every second picture.
    """
    decoded = (224, 224) if augment is _COLORS else (256, 256)
    return Recipe(
        name=f"efficientnetb2_{task}",
        source=f"a published EfficientNet-B2 on ArtGAN's list of {task}s",
        network="transfer",
        backbone="efficientnetb2",
        head=head,
        phases=(
            Phase("feature_extraction", epochs=10, trainable="head", **schedule),
            Phase(
                "fine_tuning",
                epochs=20,
                trainable=f"after:{frozen}",
                batch_norm="frozen",
                patience=5,
                **schedule,
            ),
        ),
        split=SplitConfig(kind="official", label=task),
        decode_size=decoded,
        augment=augment,
        optimizer="adamw",
        weight_decay=1e-5,
        loss="focal",
        loss_options=loss_options,
        class_weights=True,
    )


EFFICIENTNETB2_ARTIST = _efficientnetb2(
    "artist",
    head="artist",
    frozen=40,
    augment=_COLORS,
    loss_options={"gamma": 2.0, "alpha": 1.0},
    learning_rate=5e-4,
    schedule="restarts",
    schedule_steps=2000,
)
EFFICIENTNETB2_STYLE = _efficientnetb2(
    "style",
    head="stack",
    frozen=30,
    augment=_CROPS,
    loss_options={"gamma": 2.0, "alpha": 0.25},
    learning_rate=2e-3,
    schedule="restarts",
    schedule_steps=1000,
)
EFFICIENTNETB2_GENRE = _efficientnetb2(
    "genre",
    head="stack",
    frozen=60,
    augment=_SOME_CROPS,
    loss_options={"gamma": 2.0, "alpha": 1.0},
    learning_rate=5e-4,
    schedule="exponential",
    schedule_factor=0.98,
)


def with_gru(recipe):
    """The recipe with the CNN-GRU head: rows and columns of the feature map as sequences."""
    return recipe.replace(name=f"{recipe.name}_gru", head="cnn_gru", head_options={"columns": True})


# Frozen features and a logistic regression: minutes on a CPU. One layer, its channels' means.
FROZEN_PROBE = Recipe(
    name="frozen_probe",
    source="features of a frozen ResNet50's conv4_block6_out and a logistic regression, after "
    "Alain & Bengio 2016 (arXiv:1610.01644)",
    network="multilayer",
    network_options={"taps": ("resnet50/conv4_block6_out",), "pooling": ("mean",)},
    phases=(),
    probe=ProbeConfig(),
    augment=None,
)

EFFICIENTNETB2 = (EFFICIENTNETB2_ARTIST, EFFICIENTNETB2_STYLE, EFFICIENTNETB2_GENRE)
TRANSFER = (
    FROZEN_PROBE,
    RESNET50_TWO_PHASE,
    RESNET50_TUNED,
    EFFICIENTNETB0_TWO_STAGE,
    DENSENET121_MOVEMENTS,
    *EFFICIENTNETB2,
    *(with_gru(recipe) for recipe in EFFICIENTNETB2),
)
