//! The codes of problems, with their status and title.

use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

/// Makes [`Code`] of a row a code: what it means, its name as JSON writes it, its status, and its title, the same for every occurrence.
macro_rules! codes {
    ($($(#[$about:meta])* $code:ident = $name:literal, $status:ident, $title:literal;)*) => {
        /// What a program can tell problems apart by. Codes are added, never renamed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum Code {
            $($(#[$about])* $code,)*
        }

        impl Code {
            /// All codes, for the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$code),*];

            /// As JSON writes it.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)*
                }
            }

            /// The status that goes with it.
            pub fn status(self) -> StatusCode {
                match self {
                    $(Self::$code => StatusCode::$status,)*
                }
            }

            /// What it is, the same for every occurrence.
            pub fn title(self) -> &'static str {
                match self {
                    $(Self::$code => $title,)*
                }
            }
        }
    };
}

codes! {
    /// 400: the request cannot be read at all.
    BadRequest = "bad_request", BAD_REQUEST, "The request cannot be read";
    /// 400: the query is not percent-encoded UTF-8.
    MalformedQuery = "malformed_query", BAD_REQUEST, "The query cannot be read";
    /// 422: a query parameter is unknown, repeated or has no valid value; `errors` says which.
    InvalidQuery = "invalid_query", UNPROCESSABLE_ENTITY, "The query is not valid";
    /// 422: a part of the path has no valid value; `errors` says which.
    InvalidPath = "invalid_path", UNPROCESSABLE_ENTITY, "The path is not valid";
    /// 422: the cursor is none of ours.
    CursorInvalid = "cursor_invalid", UNPROCESSABLE_ENTITY, "The cursor is not valid";
    /// 422: the cursor came from another query; only `limit` and `min_block` may change between pages.
    CursorMismatch = "cursor_mismatch", UNPROCESSABLE_ENTITY, "The cursor belongs to another query";
    /// 410: the block that the cursor stands on was reorged away; start again from the first page.
    CursorReorged = "cursor_reorged", GONE, "The cursor's block was reorged away";
    /// 404: there is nothing under this path.
    NotFound = "not_found", NOT_FOUND, "There is nothing here";
    /// 404: the chain is not followed here.
    ChainNotFound = "chain_not_found", NOT_FOUND, "The chain is not followed";
    /// 404: no followed factory has created this sale, as of the indexed block.
    SaleNotFound = "sale_not_found", NOT_FOUND, "The sale is not known";
    /// 404: no followed factory has made this token, and no sale sells it, as of the indexed block.
    TokenNotFound = "token_not_found", NOT_FOUND, "The token is not known";
    /// 404: a sale sells this token, but no followed factory made it: its supply and holders are not in the index.
    SupplyUnknown = "supply_unknown", NOT_FOUND, "The supply is not known";
    /// 404: no allowlist with this root is served here.
    AllowlistNotFound = "allowlist_not_found", NOT_FOUND, "The allowlist is not known";
    /// 404: the investor is not on this allowlist.
    InvestorNotListed = "investor_not_listed", NOT_FOUND, "The investor is not on the list";
    /// 405: the resource does not take this method; `Allow` says which it takes.
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "The method is not allowed";
    /// 408: the body did not come in time; nothing was done.
    BodyTimeout = "body_timeout", REQUEST_TIMEOUT, "The body did not come in time";
    /// 413: the request's body is too large.
    PayloadTooLarge = "payload_too_large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// 401: there is no key and no session of a wallet, or none that is good; `WWW-Authenticate` says what is taken.
    Unauthenticated = "unauthenticated", UNAUTHORIZED, "It is not known who asks";
    /// 401: a signed request is not signed as it has to be, or not by the key that it names.
    SignatureInvalid = "signature_invalid", UNAUTHORIZED, "The signature is not valid";
    /// 401: a signature is too old, or of the future: the clocks differ.
    SignatureStale = "signature_stale", UNAUTHORIZED, "The signature is too old, or of the future";
    /// 401: the nonce of a signature was used before.
    SignatureReplayed = "signature_replayed", UNAUTHORIZED, "The signature was used before";
    /// 401: a wallet's message or its signature is not one that this service takes.
    SignInRefused = "sign_in_refused", UNAUTHORIZED, "The wallet is not signed in";
    /// 403: the key has not the scope that this needs.
    ScopeMissing = "scope_missing", FORBIDDEN, "The key may not do this";
    /// 403: the key may not be used from where the request comes from.
    AddressNotAllowed = "address_not_allowed", FORBIDDEN, "The key may not be used from there";
    /// 404: there is no key with this id.
    KeyNotFound = "key_not_found", NOT_FOUND, "The key is not known";
    /// 409: the key has ended, or was replaced before.
    KeyNotActive = "key_not_active", CONFLICT, "The key has ended";
    /// 404: there is no webhook of yours with this id.
    WebhookNotFound = "webhook_not_found", NOT_FOUND, "The webhook is not known";
    /// 404: the webhook has no such message, or it is no longer kept.
    DeliveryNotFound = "delivery_not_found", NOT_FOUND, "The message is not known";
    /// 409: nothing is sent to the webhook while it is disabled.
    WebhookDisabled = "webhook_disabled", CONFLICT, "The webhook is disabled";
    /// 409: you have as many webhooks, or the webhook as many secrets, as there may be.
    TooManyWebhooks = "too_many_webhooks", CONFLICT, "There are too many webhooks or secrets";
    /// 400: the body is no JSON.
    MalformedBody = "malformed_body", BAD_REQUEST, "The body cannot be read";
    /// 422: a field of the body is unknown, missing, repeated or has no valid value; `errors` says which.
    InvalidBody = "invalid_body", UNPROCESSABLE_ENTITY, "The body is not valid";
    /// 415: the body is not `application/json`.
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The body is of another type";
    /// 400: the request has no `Idempotency-Key`.
    IdempotencyKeyMissing = "idempotency_key_missing", BAD_REQUEST, "The Idempotency-Key is missing";
    /// 400: the `Idempotency-Key` is not one string of 1 to 255 characters.
    IdempotencyKeyInvalid = "idempotency_key_invalid", BAD_REQUEST, "The Idempotency-Key is not valid";
    /// 409: a request with this `Idempotency-Key` is under way; send it again after `Retry-After`.
    IdempotencyInFlight = "idempotency_in_flight", CONFLICT, "The request is under way";
    /// 422: this `Idempotency-Key` came with another request within 24 hours.
    IdempotencyMismatch = "idempotency_mismatch", UNPROCESSABLE_ENTITY, "The Idempotency-Key belongs to another request";
    /// 404: the caller has no order with this id.
    OrderNotFound = "order_not_found", NOT_FOUND, "The order is not known";
    /// 422: the sale's contract would refuse it; `detail` says why, and what to do.
    OrderRefused = "order_refused", UNPROCESSABLE_ENTITY, "The sale would refuse it";
    /// 403: the operator's signer does not send orders to this sale.
    SaleNotAllowed = "sale_not_allowed", FORBIDDEN, "No orders are sent to this sale";
    /// 429: the key has ordered as much of this currency within 24 hours as the operator lets it; `detail` says what is left.
    OrderLimitReached = "order_limit_reached", TOO_MANY_REQUESTS, "The key has ordered all that it may for now";
    /// 409: what is asked for was ordered before, with this `Idempotency-Key` more than a day ago or by the same transaction.
    OrderExists = "order_exists", CONFLICT, "It was ordered before";
    /// 409: the order is past where it could be changed, or came signed.
    OrderNotOpen = "order_not_open", CONFLICT, "The order cannot be changed";
    /// 409: the transaction's nonce is used, or waits for others.
    NonceUnusable = "nonce_unusable", CONFLICT, "The nonce cannot be used";
    /// 409: the account that pays has not enough, or has not approved it.
    InsufficientFunds = "insufficient_funds", CONFLICT, "The account cannot pay";
    /// 503: blocks ask for more for a unit of gas than the operator lets an order pay; try again after `Retry-After`.
    FeesAboveLimit = "fees_above_limit", SERVICE_UNAVAILABLE, "Blocks ask for more than the operator pays";
    /// 409: no phase of the sale takes vouchers.
    VouchersNotTaken = "vouchers_not_taken", CONFLICT, "The sale takes no vouchers";
    /// 409: this service's signer of vouchers is not the sale's; or is, where one is signed ahead for the next.
    SignerMismatch = "signer_mismatch", CONFLICT, "Not the signer that this voucher takes";
    /// 501: the operator has not set what this needs.
    NotConfigured = "not_configured", NOT_IMPLEMENTED, "The service is not set up for this";
    /// 503: `min_block` is not indexed yet; try again after `Retry-After`.
    BlockNotIndexed = "block_not_indexed", SERVICE_UNAVAILABLE, "The block is not indexed yet";
    /// 429: this address, key or wallet has made as many requests as it may; `RateLimit` and `Retry-After` say when it may again.
    TooManyRequests = "too_many_requests", TOO_MANY_REQUESTS, "There are too many requests";
    /// 503: this process streams to as many listeners as it takes; try again after `Retry-After`.
    TooManyListeners = "too_many_listeners", SERVICE_UNAVAILABLE, "There are too many listeners";
    /// 503: nothing is indexed yet, or the indexer is halted or silent.
    NotReady = "not_ready", SERVICE_UNAVAILABLE, "The service is not ready";
    /// 503: as many exports are being written as this service writes at once.
    ExportsBusy = "exports_busy", SERVICE_UNAVAILABLE, "Too many exports at once";
    /// 503: the database does not answer.
    DatabaseUnavailable = "database_unavailable", SERVICE_UNAVAILABLE, "The database does not answer";
    /// 503: the chain's node does not answer, or contradicts itself.
    NodeUnavailable = "node_unavailable", SERVICE_UNAVAILABLE, "The node does not answer";
    /// 503: the answer took too long.
    Timeout = "timeout", SERVICE_UNAVAILABLE, "The answer took too long";
    /// 500: a defect of this service; the request id finds it in the log.
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something went wrong here";
}

impl Code {
    /// The code for a status that no handler of ours gave.
    pub(super) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Self::PayloadTooLarge,
            s if s.is_client_error() => Self::BadRequest,
            _ => Self::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn codes_are_written_as_they_are_documented() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }
}
