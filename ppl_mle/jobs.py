"""What each command does: load the script, fit, go on from there, print to stdout and write what was asked for."""

import json
import math
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ppl_mle.errors import FitWarning, OutputError, RequestError
from ppl_mle.fit import Fit
from ppl_mle.find import explain, find_MAP, find_MLE
from ppl_mle.inference import normal_quantile
from ppl_mle.posterior import Agreement
from ppl_mle.report.terminal import print_agreement, print_summary
from ppl_mle.report.write import check_target, write_text, write_with
from ppl_mle.script import Script, load_script
from ppl_mle.workflow import compare, report, sample

_DIAGNOSIS = 3
