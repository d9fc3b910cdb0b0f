"""Two ways down: Adam, with its iterates averaged, and L-BFGS by SciPy.

Source: Adam is Kingma & Ba 2014 (arXiv:1412.6980), through Keras; L-BFGS-B is Byrd et al.
1995, through SciPy, which keeps the pixels within their range. Both take the function that
gives the losses and their gradient, and report each step.
"""

import keras
import numpy as np
from keras import ops
from scipy.optimize import minimize

LOW, HIGH = 0.0, 255.0
_FIRST_STEP = 5.0  # root mean square change of the pixels by the first step of L-BFGS


class DivergedError(ArithmeticError):
    """Losses are no numbers any more."""


def adam(gradients, picture, config, report):
    """Descend by Adam.

    Args:
        gradients: picture -> ((total, losses), gradient), as `gradient_function` gives them.
        picture: (1, h, w, 3) float32, to start from.
        config: a `GatysConfig`.
        report: called with (losses, picture) after each step; what it raises ends the descent.

    Returns:
        (1, h, w, 3) float32: the average of the iterates where the config asks for it.
    """
    variable = keras.Variable(picture, name="picture")
    optimizer = keras.optimizers.Adam(config.learning_rate)
    optimizer.build([variable])
    average = 0.0
    for step in range(1, config.steps + 1):
        (total, terms), gradient = gradients(variable.value)
        _check(total, gradient, config)
        optimizer.apply([gradient], [variable])
        variable.assign(ops.clip(variable.value, LOW, HIGH))
        result = variable.value
        if config.average:
            average = config.average * average + (1 - config.average) * result
            result = average / (1 - config.average**step)
        report({"total": total, **terms}, result)
    return ops.convert_to_numpy(result)


def lbfgs(gradients, picture, config, report):
    """Descend by L-BFGS; arguments and result as of `adam`, without an average.

    A step may ask for the gradient several times. Pixels and losses are brought to a scale on
    which the first step, of length one along the gradient, changes pixels by a few levels.
    """
    unit = _FIRST_STEP * picture.size**0.5
    (_, _), gradient = gradients(picture)
    length = unit * float(ops.sqrt(ops.sum(ops.square(gradient)))) or 1.0
    seen = {}

    def value(flat):
        (total, terms), gradient = gradients(_pixels(flat))
        _check(total, gradient, config)
        seen.update(losses={"total": total, **terms})
        slope = np.float64(ops.convert_to_numpy(gradient)).ravel()
        return float(total) * unit / length, slope * unit**2 / length

    def _pixels(flat):
        return np.float32(np.clip(flat * unit, LOW, HIGH).reshape(picture.shape))

    found = minimize(
        value,
        np.float64(picture).ravel() / unit,
        jac=True,
        method="L-BFGS-B",
        bounds=[(LOW / unit, HIGH / unit)] * picture.size,
        callback=lambda intermediate_result: report(seen["losses"], _pixels(intermediate_result.x)),
        options={"maxiter": config.steps, "maxfun": 3 * config.steps, "ftol": 0.0, "gtol": 0.0},
    )
    return _pixels(found.x)


def _check(total, gradient, config):
    if not bool(ops.isfinite(total)) or not bool(ops.all(ops.isfinite(gradient))):
        knob = "learning rate" if config.optimizer == "adam" else "style weight"
        raise DivergedError(
            f"The losses are no numbers any more: the last good picture is kept. Lower the {knob}."
        )


STEPPERS = {"adam": adam, "lbfgs": lbfgs}
