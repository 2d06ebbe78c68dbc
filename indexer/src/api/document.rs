//! What the description says of all operations alike, so that no handler has to: the forms of parameters that several take, the problems
//! that any request can meet, and where an answer leads.

use utoipa::openapi::{
    ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder,
    link::LinkBuilder,
    path::{Operation, Parameter, ParameterIn, PathItem},
    schema::{Schema, SchemaType, Type},
};

/// Forms that are the same wherever a parameter of this name stands: its name, its least and greatest length, its pattern.
const FORMS: [(&str, usize, usize, &str); 3] = [
    ("cursor", 1, 512, "^[A-Za-z0-9_-]+$"),
    ("Idempotency-Key", 1, 255, r"^[!#-\[\]-~]+$"),
    ("Last-Event-ID", 0, 64, "^([0-9]{1,18}(-[0-9]{1,18}-[0-9]{1,9})?)?$"),
];

/// What every operation of the API can answer, whatever it is about.
const PROBLEMS: [(&str, &str); 3] = [
    ("429", "Too many requests from this address; see `Retry-After`."),
    ("500", "A defect of this service."),
    ("503", "The answer took too long, or the database does not answer; see `Retry-After`."),
];

/// An operation, the parameters that its answer gives, each with its place there, and the paths that take them.
type Lead = (&'static str, [(&'static str, &'static str); 2], &'static str);

/// Where what a list or a record names can be read.
const LEADS: [Lead; 5] = [
    ("list_sales", [("chain", "/data/0/chain_id"), ("sale", "/data/0/address")], "/v1/sales/{chain}/{sale}"),
    ("list_positions", [("chain", "/data/0/chain_id"), ("sale", "/data/0/sale")], "/v1/sales/{chain}/{sale}"),
    ("get_sale", [("chain", "/data/chain_id"), ("token", "/data/token/address")], "/v1/tokens/{chain}/{token}"),
    (
        "list_investors",
        [("address", "/data/0/investor"), ("chain", "/data/0/block/chain_id")],
        "/v1/investors/{address}",
    ),
    (
        "list_contributions",
        [("address", "/data/0/investor"), ("chain", "/data/0/block/chain_id")],
        "/v1/investors/{address}",
    ),
];

/// Adds it to a document of all routes.
pub fn complete(document: &mut OpenApi) {
    let targets: Vec<Target> = document.paths.paths.iter().flat_map(|(path, item)| Target::all(path, item)).collect();
    for (path, item) in &mut document.paths.paths {
        for operation in operations(item) {
            for parameter in operation.parameters.iter_mut().flatten() {
                if let RefOr::T(parameter) = parameter {
                    describe(parameter);
                }
            }
            if path.starts_with("/v1/") {
                add_problems(operation);
            }
            link(path, operation, &targets);
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.patch, &mut item.delete].into_iter().flatten()
}

fn describe(parameter: &mut Parameter) {
    let Some(RefOr::T(Schema::Object(schema))) = &mut parameter.schema else { return };
    // What is left out is not there: a query or a header has no null.
    if let SchemaType::Array(types) = &schema.schema_type
        && let [of, Type::Null] | [Type::Null, of] = &types[..]
    {
        schema.schema_type = SchemaType::Type(of.clone());
    }
    if let Some((_, least, greatest, pattern)) = FORMS.iter().find(|(name, ..)| *name == parameter.name) {
        schema.min_length = (*least > 0).then_some(*least);
        schema.max_length = Some(*greatest);
        schema.pattern = Some((*pattern).to_owned());
    }
}

fn add_problems(operation: &mut Operation) {
    for (status, description) in PROBLEMS {
        operation.responses.responses.entry(status.to_owned()).or_insert_with(|| {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
            ResponseBuilder::new().description(description).content("application/problem+json", content).build().into()
        });
    }
}

/// An operation that a link can lead to.
struct Target {
    id: String,
    path: String,
    /// Parameters of its path.
    parameters: Vec<String>,
    /// Parameters of its query.
    query: Vec<String>,
}

impl Target {
    fn all(path: &str, item: &PathItem) -> Vec<Self> {
        let mut item = item.clone();
        operations(&mut item)
            .filter_map(|operation| {
                let all = || operation.parameters.iter().flatten();
                let named = |of: ParameterIn| {
                    all().filter_map(move |p| match p {
                        RefOr::T(p) if p.parameter_in == of => Some(p.name.clone()),
                        _ => None,
                    })
                };
                Some(Self {
                    id: operation.operation_id.clone()?,
                    path: path.to_owned(),
                    parameters: named(ParameterIn::Path).collect(),
                    query: named(ParameterIn::Query).collect(),
                })
            })
            .collect()
    }
}

/// What was made is found below the path that made it, by its id; a page leads to the next; and what a list names can be read.
fn link(path: &str, operation: &mut Operation, targets: &[Target]) {
    let id = operation.operation_id.clone().unwrap_or_default();
    let mut links = Vec::new();
    for target in targets {
        let below = target.path.strip_prefix(path).is_some_and(|rest| rest.starts_with("/{"));
        if let ([parameter], true) =
            (&target.parameters[..], below && operation.responses.responses.contains_key("201"))
        {
            links.push((target, vec![(parameter.as_str(), "$response.body#/data/id".to_owned())]));
        }
        if target.id == id && target.query.iter().any(|name| name == "cursor") {
            let same = target.parameters.iter().map(|name| (name.as_str(), format!("$request.path.{name}")));
            links.push((target, same.chain([("cursor", "$response.body#/next_cursor".to_owned())]).collect()));
        }
        for (from, values, to) in LEADS {
            if id == from
                && target.path.starts_with(to)
                && values.iter().all(|(name, _)| target.parameters.iter().chain(&target.query).any(|p| p == name))
            {
                let values = values.iter().map(|(name, at)| (*name, format!("$response.body#{at}")));
                links.push((target, values.collect()));
            }
        }
    }
    let Some(status) = ["200", "201"].into_iter().find(|s| operation.responses.responses.contains_key(*s)) else {
        return;
    };
    let Some(RefOr::T(response)) = operation.responses.responses.get_mut(status) else { return };
    for (target, values) in links {
        let link = LinkBuilder::new().operation_id(&target.id);
        let link = values.into_iter().fold(link, |link, (name, value)| link.parameter(name, value));
        response.links.insert(target.id.clone(), link.build().into());
    }
}
