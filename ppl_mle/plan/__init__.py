"""What would run on a likelihood, and why each other engine would not."""

from ppl_mle.plan.plan import Plan, Verdict, make_plan

__all__ = ["Plan", "Verdict", "make_plan"]
