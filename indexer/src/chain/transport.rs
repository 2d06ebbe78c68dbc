//! Requests over HTTP. alloy's transport reads whatever comes: where a sparse chain becomes dense, a range that was right a moment ago
//! is answered with hundreds of megabytes. This one stops reading, and the range is halved like after any error.

use std::future::Future;

use alloy::{
    rpc::{
        client::RpcClient,
        json_rpc::{RequestPacket, ResponsePacket},
    },
    transports::{BoxTransport, TransportError, TransportErrorKind, TransportFut, utils::guess_local_url},
};
use reqwest::{Client, Response};
use url::Url;

/// Bytes of an answer to a request that can be asked for less: some 4,000 logs.
const MAX_ANSWER: usize = 4 << 20;

tokio::task_local! {
    static DIVISIBLE: ();
}

/// What is asked meanwhile can be asked for less: a long answer is an error.
pub(super) async fn divisible<T>(request: impl Future<Output = T>) -> T {
    DIVISIBLE.scope((), request).await
}

/// A client of the node at `url`.
pub(super) fn client(url: Url) -> RpcClient {
    let is_local = guess_local_url(url.as_str());
    let http = Client::new();
    let service = tower::service_fn(move |request: RequestPacket| -> TransportFut<'static> {
        let call = http.post(url.clone()).headers(request.headers()).json(&request);
        let limit = DIVISIBLE.try_with(|()| MAX_ANSWER).unwrap_or(usize::MAX);
        Box::pin(async move { answer(call.send().await.map_err(TransportErrorKind::custom)?, limit).await })
    });
    RpcClient::new(BoxTransport::new(service), is_local)
}

async fn answer(mut response: Response, limit: usize) -> Result<ResponsePacket, TransportError> {
    let status = response.status();
    let announced = response.content_length().map_or(0, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    let too_long = || TransportErrorKind::custom_str("its answer is longer than 4 MB");
    if announced > limit {
        return Err(too_long());
    }
    let mut body = Vec::with_capacity(announced.min(MAX_ANSWER));
    while let Some(part) = response.chunk().await.map_err(TransportErrorKind::custom)? {
        if body.len() + part.len() > limit {
            return Err(too_long());
        }
        body.extend_from_slice(&part);
    }
    let packet = serde_json::from_slice::<ResponsePacket>(&body);
    match packet {
        // Some nodes put their JSON-RPC errors, which say more, behind an HTTP status.
        Ok(packet) if status.is_success() || packet.is_error() => Ok(packet),
        _ if !status.is_success() => {
            Err(TransportErrorKind::http_error(status.as_u16(), String::from_utf8_lossy(&body).into_owned()))
        }
        Ok(_) => Err(TransportErrorKind::custom_str("it answered something else than JSON-RPC")),
        Err(error) => Err(TransportError::deser_err(error, String::from_utf8_lossy(&body))),
    }
}
