"""Amazon's services as moto has them, and the one answer that Terraform waits for and moto lacks; runs in .venv-moto."""

import runpy
from pathlib import Path

from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse


def _no_tags(_response: ApplicationAutoScalingResponse) -> str:
    return '{"Tags": {}}'


ApplicationAutoScalingResponse.list_tags_for_resource = _no_tags
runpy.run_path(str(Path(__file__).parents[1] / "clients" / "s3_stand_in.py"))
