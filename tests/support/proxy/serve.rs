//! The proxy's traffic: accept, note, break or forward, answer.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use super::request::{Identity, identify};
use super::{Call, Fault, Outcome, Shared, fault};

/// Serves until the runtime ends.
pub(super) async fn accept(listener: TcpListener, upstream: String, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(connection(stream, upstream.clone(), Arc::clone(&shared)));
    }
}

async fn connection(stream: TcpStream, upstream: String, shared: Arc<Shared>) {
    let reset = Arc::new(Notify::new());
    let service = service_fn(|request| {
        let (upstream, shared, reset) = (upstream.clone(), Arc::clone(&shared), Arc::clone(&reset));
        async move { answer(request, &upstream, &shared, &reset).await }
    });
    let mut connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let torn = tokio::select! {
        _ = &mut connection => false,
        () = reset.notified() => true,
    };
    if torn {
        let stream = connection.into_parts().io.into_inner();
        // Closing with a linger of zero sends RST instead of FIN.
        let _ = stream.set_zero_linger();
    }
}

/// What goes back over the wire.
type Answer = Response<Cut>;

async fn answer(
    request: Request<Incoming>,
    upstream: &str,
    shared: &Arc<Shared>,
    reset: &Notify,
) -> Result<Answer, Infallible> {
    let (parts, body) = request.into_parts();
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        // The caller broke off while sending: there is nobody to answer, and nothing was asked.
        Err(_) => return Ok(whole(plain(400, "the request broke off"))),
    };
    let identity = identify(&parts, &body);
    let Identity { protocol, service, operation, region, access_key_id } = identity;
    let call = Call {
        service: service.clone(),
        operation,
        region,
        access_key_id,
        method: parts.method.to_string(),
        target: parts.uri.to_string(),
        at: Instant::now(),
        request_bytes: body.len(),
        outcome: Outcome::Pending,
        body: body.clone(),
    };
    let (index, fault) = shared.record(call);
    let mut ledger = Ledger { shared, index, settled: false };

    let replied = |name, response: Response<Bytes>, ledger: &mut Ledger<'_>| {
        ledger.settle(Outcome::Faulted { fault: name, status: Some(response.status().as_u16()) });
        Ok(whole(response))
    };
    let error = match fault {
        None => {
            let response = forward(parts, body, upstream).await;
            ledger.forwarded(&response);
            return Ok(whole(response.unwrap_or_else(|why| plain(502, &why))));
        }
        Some(Fault::Delay(gate)) => {
            gate.pass().await;
            let response = forward(parts, body, upstream).await;
            ledger.forwarded(&response);
            return Ok(whole(response.unwrap_or_else(|why| plain(502, &why))));
        }
        Some(Fault::Silence(gate)) => {
            ledger.settled = true;
            let (upstream, shared) = (upstream.to_owned(), Arc::clone(shared));
            let done = tokio::spawn(async move {
                let status = forward(parts, body, &upstream).await.ok().map(|response| response.status().as_u16());
                shared.settle(index, Outcome::Faulted { fault: "silence", status });
            });
            // A task of its own, since the caller may hang up meanwhile.
            let _ = done.await;
            gate.pass().await;
            return std::future::pending().await;
        }
        Some(Fault::TruncatedBody) => {
            let response = forward(parts, body, upstream).await.unwrap_or_else(|why| plain(502, &why));
            let status = Some(response.status().as_u16());
            ledger.settle(Outcome::Faulted { fault: "truncated body", status });
            return Ok(halved(response));
        }
        Some(Fault::Hang) => {
            // Dropped with the connection, and the ledger then says that the caller gave up.
            return std::future::pending().await;
        }
        Some(Fault::Reset) => {
            ledger.settle(Outcome::Faulted { fault: "reset", status: None });
            reset.notify_one();
            return std::future::pending().await;
        }
        Some(Fault::Body(status, bytes)) => {
            let response = Response::builder().status(status).body(Bytes::from(bytes)).expect("a status of HTTP");
            return replied("body", response, &mut ledger);
        }
        Some(Fault::Skewed(ahead)) => {
            let there = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(ahead);
            let is_fresh = fault::signed_at(&parts).is_some_and(|at| (at - there.as_second()).abs() < 300);
            let mut response = if is_fresh {
                let response = forward(parts, body, upstream).await;
                ledger.forwarded(&response);
                response.unwrap_or_else(|why| plain(502, &why))
            } else {
                let error = fault::too_skewed(protocol);
                ledger.settle(Outcome::Faulted { fault: "skewed", status: Some(error.status) });
                fault::response(protocol, &error)
            };
            response.headers_mut().insert("date", fault::date(there));
            return Ok(whole(response));
        }
        Some(Fault::Throttling) => ("throttling", fault::throttling(protocol)),
        Some(Fault::ServerError) => ("server error", fault::server_error(protocol, &service)),
        Some(Fault::ExpiredToken) => ("expired token", fault::expired_token(protocol)),
        Some(Fault::AccessDenied(message)) => ("access denied", fault::access_denied(protocol, &message)),
    };
    replied(error.0, fault::response(protocol, &error.1), &mut ledger)
}

/// Asks the account, over a connection of its own so that no call shares another's fate.
async fn forward(parts: hyper::http::request::Parts, body: Bytes, upstream: &str) -> Result<Response<Bytes>, String> {
    let stream = TcpStream::connect(upstream).await.map_err(|error| format!("cannot reach {upstream}: {error}"))?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    let mut request = Request::from_parts(parts, Full::new(body));
    // Both say how *this* connection is framed; the body is already whole.
    request.headers_mut().remove("transfer-encoding");
    request.headers_mut().remove("expect");
    let mut connection = pin!(connection);
    let exchange = async {
        let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        Ok::<_, String>(Response::from_parts(parts, body))
    };
    let mut exchange = pin!(exchange);
    tokio::select! {
        response = &mut exchange => response,
        _ = &mut connection => exchange.await,
    }
}

/// Settles a call's outcome once; a call that is dropped unsettled was given up by its caller.
struct Ledger<'a> {
    shared: &'a Shared,
    index: usize,
    settled: bool,
}

impl Ledger<'_> {
    fn settle(&mut self, outcome: Outcome) {
        self.settled = true;
        self.shared.settle(self.index, outcome);
    }

    fn forwarded(&mut self, response: &Result<Response<Bytes>, String>) {
        self.settle(match response {
            Ok(response) => Outcome::Forwarded { status: response.status().as_u16(), bytes: response.body().len() },
            Err(why) => Outcome::Unreachable(why.clone()),
        });
    }
}

impl Drop for Ledger<'_> {
    fn drop(&mut self) {
        if !self.settled {
            self.shared.settle(self.index, Outcome::Abandoned);
        }
    }
}

fn plain(status: u16, text: &str) -> Response<Bytes> {
    Response::builder().status(status).body(Bytes::copy_from_slice(text.as_bytes())).expect("a status of HTTP")
}

/// A body that ends before its announced length, or does not.
struct Cut {
    rest: Option<Bytes>,
    missing: usize,
    /// What came before the cut has been handed to the socket, not only to its buffer.
    flushed: bool,
}

fn whole(response: Response<Bytes>) -> Answer {
    response.map(|body| Cut { rest: Some(body), missing: 0, flushed: false })
}

fn halved(response: Response<Bytes>) -> Answer {
    response.map(|body| {
        let kept = body.slice(..body.len() / 2);
        Cut { missing: body.len() - kept.len(), rest: Some(kept), flushed: false }
    })
}

impl Body for Cut {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        match self.rest.take() {
            Some(bytes) if !bytes.is_empty() => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            _ if self.missing > 0 && !self.flushed => {
                // Whatever is still buffered when a body fails is thrown away with it.
                self.flushed = true;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            _ if self.missing > 0 => Poll::Ready(Some(Err(std::io::ErrorKind::UnexpectedEof.into()))),
            _ => Poll::Ready(None),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact((self.rest.as_ref().map_or(0, Bytes::len) + self.missing) as u64)
    }
}
