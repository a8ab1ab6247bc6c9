"""The routes that steer the service: approvals, suspensions, and explanations of policy."""

from vaultsigner.domain.names import JsonValue, Operation
from vaultsigner.server import approvals, control_examples, policies, suspensions
from vaultsigner.server.edge import Endpoint
from vaultsigner.server.error_groups import ALWAYS, AUTHENTICATED
from vaultsigner.server.route import Documentation, Route, Variable

_COMMON = (*ALWAYS, *AUTHENTICATED)
_WRITTEN = (*_COMMON, "malformed_body", "invalid_fields")
_ID = {"id": Variable("The approval's id, as the requester was told it.", control_examples.APPROVAL_ID)}


def _vote_route(word: str, endpoint: Endpoint, summary: str, description: str, answer: JsonValue) -> Route:
    return Route(
        "POST",
        (f"/api/approvals/{{id}}/{word}",),
        Operation(f"approval.{word}"),
        endpoint,
        Documentation(
            tag="Approvals",
            summary=summary,
            description=f"{description} Each has one vote, and nobody has one on what they asked for themselves.",
            request="vote_on_approval",
            optional_body=True,
            examples={"With a comment": {"comment": "checked by phone"}},
            answer="approval",
            answer_example=answer,
            errors=(*_WRITTEN, "approval_not_found", "no_permission", "approval_closed"),
            variables=_ID,
        ),
    )


CONTROL_ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        ("/api/approvals",),
        Operation("approval.list"),
        approvals.list_approvals,
        Documentation(
            tag="Approvals",
            summary="List what waits for approval",
            description="Your own requests, and those that you may decide on; for users with the role auditor or operator all of "
            "them. What expires first, first. Granted ones stay until they are used.",
            answer="approvals",
            answer_example={"approvals": [control_examples.APPROVAL]},
            errors=_COMMON,
        ),
    ),
    Route(
        "GET",
        ("/api/approvals/{id}",),
        Operation("approval.read"),
        approvals.show_approval,
        Documentation(
            tag="Approvals",
            summary="Look up one approval",
            description="Also what is over already, for a week.",
            answer="approval",
            answer_example=control_examples.APPROVAL,
            errors=(*_COMMON, "approval_not_found"),
            variables=_ID,
        ),
    ),
    _vote_route(
        "approve",
        approvals.approve,
        "Approve a request",
        "Once enough have approved, the requester may send it again, once, with the approval's id.",
        control_examples.APPROVED,
    ),
    _vote_route(
        "reject",
        approvals.reject,
        "Reject a request",
        "One no ends it, also where enough have approved but it was not used yet.",
        control_examples.REJECTED,
    ),
    Route(
        "GET",
        ("/api/suspensions",),
        Operation("suspension.list"),
        suspensions.list_suspensions,
        Documentation(
            tag="Suspensions",
            summary="List what is suspended",
            description="For users with the role operator or auditor.",
            answer="suspensions",
            answer_example={"suspensions": [control_examples.SUSPENSION]},
            errors=(*_COMMON, "no_permission"),
        ),
    ),
    Route(
        "POST",
        ("/api/suspensions",),
        Operation("suspension.suspend"),
        suspensions.suspend,
        Documentation(
            tag="Suspensions",
            summary="Suspend a wallet, a caller, or everything",
            description="In force within a second on every server. For users with the role operator, who may still log in and "
            "resume it when everything is suspended.",
            request="suspension_request",
            examples={
                "A client": {
                    "kind": "client",
                    "name": "bot-1",
                    "reason": control_examples.SUSPENSION["reason"],
                },
                "Everything": {"kind": "all", "reason": "drill"},
            },
            answer="changed_suspension",
            answer_example={**control_examples.SUSPENSION, "changed": True},
            errors=(*_WRITTEN, "no_permission"),
        ),
    ),
    Route(
        "DELETE",
        ("/api/suspensions/all",),
        Operation("suspension.resume_all"),
        suspensions.resume_all,
        Documentation(
            tag="Suspensions",
            summary="End the suspension of everything",
            description="What is suspended by its name stays so. For users with the role operator.",
            answer="changed_suspension",
            answer_example={**control_examples.SUSPENSION, "kind": "all", "name": "", "changed": True},
            errors=(*_COMMON, "no_permission", "not_found"),
        ),
    ),
    Route(
        "DELETE",
        ("/api/suspensions/{kind}/{name}",),
        Operation("suspension.resume"),
        suspensions.resume,
        Documentation(
            tag="Suspensions",
            summary="End a suspension",
            description="For users with the role operator.",
            answer="changed_suspension",
            answer_example={**control_examples.SUSPENSION, "changed": True},
            errors=(*_COMMON, "no_permission", "not_found"),
            variables={
                "kind": Variable("What was suspended: wallet, client, user or exchange.", "client"),
                "name": Variable("Its name.", "bot-1"),
            },
        ),
    ),
    Route(
        "POST",
        ("/api/policy/explain",),
        Operation("policy.explain"),
        policies.explain,
        Documentation(
            tag="Policy",
            summary="Say why policy decides as it does",
            description="Each rule and whether it matches, and the decision, for a request that is only described: nothing is "
            "done, and no limit is used. Requests to exchanges are given as they would be sent. About others' requests operators "
            "alone may ask.",
            request="explain_request",
            examples=control_examples.EXPLAIN,
            answer="explanation",
            answer_example=control_examples.EXPLAINED,
            errors=(*_WRITTEN, "no_permission", "wallet_not_found"),
        ),
    ),
)
