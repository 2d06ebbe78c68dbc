//! The problems that answers can be, as the OpenAPI document lists them.

use std::collections::BTreeMap;

use utoipa::{
    IntoResponses, ToSchema,
    openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder},
};

use super::problem::ProblemBody;

/// The problems that every read can end in.
#[derive(Debug)]
pub struct ReadProblems;

/// The problems of a list.
#[derive(Debug)]
pub struct PageProblems;

/// The problems of a request that needs a key.
#[derive(Debug)]
pub struct WriteProblems;

/// The problems of a plan, which is asked for and changes nothing.
#[derive(Debug)]
pub struct PlanProblems;

/// The problems of an allowlist, which is read from memory.
#[derive(Debug)]
pub struct AllowlistProblems;

fn problem_response(description: &str) -> RefOr<Response> {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(ProblemBody::name()))).build();
    ResponseBuilder::new().description(description).content("application/problem+json", content).build().into()
}

impl IntoResponses for ReadProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let not_modified = ResponseBuilder::new().description("`If-None-Match` has the tag of this answer.").build();
        [
            ("304", RefOr::T(not_modified)),
            ("400", problem_response("The request cannot be read.")),
            ("404", problem_response("The chain is not followed here, or the sale is not known.")),
            ("422", problem_response("A parameter has no valid value; `errors` says which.")),
            ("500", problem_response("A defect of this service.")),
            ("503", problem_response("Not indexed that far yet, or the database does not answer; see `Retry-After`.")),
        ]
        .map(|(status, response)| (status.to_owned(), response))
        .into()
    }
}

impl IntoResponses for PageProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut responses = ReadProblems::responses();
        responses.insert("410".to_owned(), problem_response("The cursor's block was reorged away; start again."));
        responses
    }
}

impl IntoResponses for WriteProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [
            ("400", problem_response("The request cannot be read, or its `Idempotency-Key` is missing.")),
            ("401", problem_response("There is no key, signature or session, or none that is good; `code` says what is wrong.")),
            ("403", problem_response("The key has not the scope, or may not be used from there; `code` says which.")),
            ("404", problem_response("What the path names is not known.")),
            ("409", problem_response("A request with this `Idempotency-Key` is under way, or what it asks for cannot be any more; `code` says which.")),
            ("408", problem_response("The body did not come in time; nothing was done.")),
            ("413", problem_response("The body is too large.")),
            ("415", problem_response("The body is not `application/json`.")),
            ("422", problem_response("A parameter or a field has no valid value, which `errors` names, or the `Idempotency-Key` belongs to another request.")),
            ("500", problem_response("A defect of this service.")),
            ("501", problem_response("The operator has set no master key, or no node or signer where one is needed; `detail` says which.")),
            ("503", problem_response("The database or the chain's node does not answer; see `Retry-After`.")),
        ]
        .map(|(status, response)| (status.to_owned(), response))
        .into()
    }
}

impl IntoResponses for PlanProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [
            ("400", problem_response("The request cannot be read.")),
            ("404", problem_response("The chain is not followed here.")),
            ("408", problem_response("The body did not come in time; nothing was done.")),
            ("413", problem_response("The body is too large.")),
            ("415", problem_response("The body is not `application/json`.")),
            ("422", problem_response("A field has no valid value, which `errors` names.")),
            ("500", problem_response("A defect of this service.")),
            ("501", problem_response("A creator is named, and the operator has set no node of the chain.")),
            ("503", problem_response("The database or the chain's node does not answer; see `Retry-After`.")),
        ]
        .map(|(status, response)| (status.to_owned(), response))
        .into()
    }
}

impl IntoResponses for AllowlistProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        [
            ("400", problem_response("The request cannot be read.")),
            ("404", problem_response("The list is not served here, or the investor is not on it; `code` says which.")),
            ("422", problem_response("A part of the path has no valid value; `errors` says which.")),
        ]
        .map(|(status, response)| (status.to_owned(), response))
        .into()
    }
}
