//! A connection that a fault can break: a client sees a reset as it sees one on a bad network, not as an answer.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Sleep;

/// Takes connections that can be broken, and that end where a request stops half way.
pub(super) struct Breakable {
    pub listener: TcpListener,
    /// How long a request's head may take.
    pub idle: Duration,
}

impl Listener for Breakable {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, from) = Listener::accept(&mut self.listener).await;
        (
            Connection {
                stream,
                breaker: Breaker::default(),
                head: Some(Head::begun(self.idle)),
                idle: self.idle,
            },
            from,
        )
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Breaks the connection on which a request came.
#[derive(Clone, Default)]
pub(super) struct Breaker(Arc<AtomicBool>);

impl Breaker {
    /// From now on nothing is written any more, and the connection ends with a reset.
    pub(super) fn reset(&self) {
        self.0.store(true, Ordering::Release);
    }

    fn is_reset(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Connected<IncomingStream<'_, Breakable>> for Breaker {
    fn connect_info(stream: IncomingStream<'_, Breakable>) -> Self {
        stream.io().breaker.clone()
    }
}

/// A connection and what breaks it.
pub(super) struct Connection {
    stream: TcpStream,
    breaker: Breaker,
    /// The head of a request that has begun; none while a request is answered.
    head: Option<Head>,
    idle: Duration,
}

/// A request's head that is not whole yet.
struct Head {
    deadline: Pin<Box<Sleep>>,
    /// How much of the empty line at its end has come.
    end: usize,
}

impl Head {
    fn begun(idle: Duration) -> Self {
        Self { deadline: Box::pin(tokio::time::sleep(idle)), end: 0 }
    }

    /// Whether the head is whole with these bytes.
    fn is_whole(&mut self, bytes: &[u8]) -> bool {
        for byte in bytes {
            self.end = match (byte, self.end) {
                (b'\r', 2) => 3,
                (b'\r', _) => 1,
                (b'\n', 1) => 2,
                (b'\n', 3) => return true,
                _ => 0,
            };
        }
        false
    }
}

impl Connection {
    fn check(&self) -> io::Result<()> {
        if self.breaker.is_reset() { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

impl Connection {
    /// What comes after an answer is the next request.
    fn answering(&mut self) {
        if self.head.is_none() {
            self.head = Some(Head::begun(self.idle));
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.breaker.is_reset() {
            // Without it the client sees an orderly end; that is a broken answer as well.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let Some(head) = &mut self.head else { return read };
        match read {
            Poll::Ready(_) => {
                if head.is_whole(&buffer.filled()[before..]) {
                    self.head = None;
                }
                read
            }
            Poll::Pending => {
                head.deadline.as_mut().poll(context).map(|()| Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        self.answering();
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check()?;
        self.answering();
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // An orderly end would come before the reset.
        self.check()?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
