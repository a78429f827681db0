"""The sensor that puts topics back whose configuration somebody has changed."""

from typing import Final

import dagster as dg

from contract.errors import CtrError
from ctr_platform.defs.catalog import TOPICS
from ctr_platform.defs.kafka.assets import CONFIG_CHECK, drift_message
from ctr_platform.resources import Kafka

LOOK_EVERY_S: Final = 180
"""A drift lasts no longer, and whoever changed it is told while they remember. The check stays red for as
long, in which the sensor of alerts has looked at it six times."""


@dg.sensor(
    minimum_interval_seconds=LOOK_EVERY_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description=(
        "Compares the configuration of the topics with the contract's, corrects what has drifted, such as "
        "message.timestamp.type, and evaluates config_as_specified. Creates no topic."
    ),
)
def keep_topics_configured(kafka: Kafka) -> dg.SensorResult:
    """Look, correct, and say what had drifted.

    Every look is reported: the asset evaluates the check as well, and what it found is over then.
    """
    try:
        message = drift_message(kafka.correct_topics())
    except CtrError as error:
        return dg.SensorResult(skip_reason=str(error))
    evaluation = dg.AssetCheckEvaluation(
        asset_key=TOPICS, check_name=CONFIG_CHECK.name, passed=not message, description=message
    )
    return dg.SensorResult(skip_reason=message or "as the contract says", asset_events=[evaluation])
