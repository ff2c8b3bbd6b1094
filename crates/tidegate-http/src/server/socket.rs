//! A client's socket, of which the runtime's poller hears only when something has to be waited for.
//!
//! Owns: that first try. A request is mostly there when its connection is taken, and its answer fits
//! the kernel's buffer; a live stream's socket goes on to its shard, which has a poller of its own.
//! Must not: hold bytes, or know a limit.

use std::io::{self, ErrorKind, IoSlice, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream as Driven;

/// What no poller has been told of.
pub(crate) type Bare = mio::net::TcpStream;

/// Lets the runtime's poller watch something that has a file of its own for as long as it lives, and always
/// the same: a listener, another poller.
#[expect(
    deprecated,
    reason = "what replaces it has to be called as unsafe, for types that change their file"
)]
pub(crate) fn watched<T: AsRawFd>(inner: T) -> io::Result<AsyncFd<T>> {
    AsyncFd::new(inner)
}

/// As much as most requests have; memory is made ready for so much at a time.
const PIECE_BYTES: usize = 2 * 1_024;

/// A client's socket.
#[derive(Debug)]
pub(super) enum Socket {
    /// It was just taken: what its client says first is there, or is so in a moment.
    New(Bare),
    /// Nothing had to be waited for yet.
    Bare(Bare),
    /// The runtime's poller has it.
    Driven(Driven),
    /// It failed on its way from one to the other.
    Lost,
}

impl Socket {
    /// The socket without the runtime's poller.
    pub(super) fn into_bare(self) -> io::Result<Bare> {
        match self {
            Self::New(socket) | Self::Bare(socket) => Ok(socket),
            Self::Driven(socket) => socket.into_std().map(Bare::from_std),
            Self::Lost => Err(ErrorKind::NotConnected.into()),
        }
    }

    /// Tells the runtime's poller of it.
    fn drive(&mut self) -> io::Result<()> {
        *self = match std::mem::replace(self, Self::Lost) {
            Self::New(socket) | Self::Bare(socket) => Self::Driven(Driven::from_std(socket.into())?),
            other => other,
        };
        Ok(())
    }

    /// Does it at once, or nothing if that would block and the poller has to be asked.
    fn at_once<T>(&mut self, mut act: impl FnMut(&mut Bare) -> io::Result<T>) -> io::Result<Option<T>> {
        let (Self::New(socket) | Self::Bare(socket)) = self else { return Ok(None) };
        loop {
            match act(socket) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                done => return done.map(Some),
            }
        }
        self.drive().map(|()| None)
    }

    /// Reads what is there.
    fn read_at_once(&mut self, buffer: &mut ReadBuf<'_>) -> io::Result<AtOnce> {
        let begin = buffer.filled().len();
        loop {
            let (Self::New(socket) | Self::Bare(socket)) = self else { return Ok(AtOnce::Never) };
            let room = buffer.remaining().min(PIECE_BYTES);
            match socket.read(buffer.initialize_unfilled_to(room)) {
                Ok(read) => {
                    buffer.advance(read);
                    // Less than there was room for is all that is there, or the end.
                    if read < room || buffer.remaining() == 0 {
                        return Ok(AtOnce::Done);
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // It is met again at the next try.
                Err(_) if buffer.filled().len() > begin => return Ok(AtOnce::Done),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        if let Self::New(_) = self {
            *self = match std::mem::replace(self, Self::Lost) {
                Self::New(socket) => Self::Bare(socket),
                other => other,
            };
            return Ok(AtOnce::Soon);
        }
        self.drive().map(|()| AtOnce::Never)
    }

    fn driven(&mut self) -> io::Result<Pin<&mut Driven>> {
        match self {
            Self::Driven(socket) => Ok(Pin::new(socket)),
            Self::New(_) | Self::Bare(_) | Self::Lost => Err(ErrorKind::NotConnected.into()),
        }
    }
}

/// What came of a read that does not wait.
enum AtOnce {
    Done,
    /// Nothing yet, but others have something to do first: to be tried once more after them. Telling the poller
    /// of a socket, and that it goes on to a shard then, costs more than that.
    Soon,
    /// The poller has to be asked.
    Never,
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.read_at_once(buffer)? {
            AtOnce::Done => Poll::Ready(Ok(())),
            AtOnce::Soon => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            AtOnce::Never => self.driven()?.poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.at_once(|socket| socket.write(bytes))? {
            Some(written) => Poll::Ready(Ok(written)),
            None => self.driven()?.poll_write(context, bytes),
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.at_once(|socket| socket.write_vectored(slices))? {
            Some(written) => Poll::Ready(Ok(written)),
            None => self.driven()?.poll_write_vectored(context, slices),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Nothing is held back here.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut *self {
            Self::New(socket) | Self::Bare(socket) => Poll::Ready(socket.shutdown(Shutdown::Write)),
            Self::Driven(_) => self.driven()?.poll_shutdown(context),
            Self::Lost => Poll::Ready(Ok(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    fn pair() -> (Socket, TcpStream) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let theirs = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (ours, _) = listener.accept().unwrap();
        ours.set_nonblocking(true).unwrap();
        (Socket::Bare(Bare::from_std(ours)), theirs)
    }

    #[tokio::test]
    async fn the_poller_is_told_of_a_socket_only_when_it_has_to_wait() {
        let (mut ours, mut theirs) = pair();
        theirs.write_all(b"ab").unwrap();
        // Until it has arrived: loopback does so before the call returns, other kernels need not.
        assert_eq!(ours.read_u8().await.unwrap(), b'a');
        assert_eq!(ours.read_u8().await.unwrap(), b'b');
        ours.write_all(b"c").await.unwrap();
        let was_bare = matches!(ours, Socket::Bare(_));
        let (read, ()) = tokio::join!(ours.read_u8(), async { theirs.write_all(b"d").unwrap() });
        assert_eq!(read.unwrap(), b'd');
        assert!(was_bare && matches!(ours, Socket::Driven(_)));
    }

    #[tokio::test]
    async fn what_comes_a_moment_after_its_connection_needs_no_poller() {
        let (ours, mut theirs) = pair();
        let mut ours = Socket::New(ours.into_bare().unwrap());
        let (read, ()) = tokio::join!(ours.read_u8(), async { theirs.write_all(b"a").unwrap() });
        assert_eq!(read.unwrap(), b'a');
        assert!(matches!(ours, Socket::Bare(_)));
        let (read, ()) = tokio::join!(ours.read_u8(), async { theirs.write_all(b"b").unwrap() });
        assert_eq!(read.unwrap(), b'b');
        assert!(matches!(ours, Socket::Driven(_)));
    }

    #[tokio::test]
    async fn a_request_of_several_pieces_is_read_at_once() {
        let (mut ours, mut theirs) = pair();
        for bytes in [PIECE_BYTES, 2 * PIECE_BYTES, 3 * PIECE_BYTES + 7] {
            theirs.write_all(&vec![1; bytes]).unwrap();
            let mut buffer = bytes::BytesMut::with_capacity(4 * PIECE_BYTES);
            assert_eq!(ours.read_buf(&mut buffer).await.unwrap(), bytes);
            assert!(matches!(ours, Socket::Bare(_)));
        }
        theirs.write_all(&[2; 3 * PIECE_BYTES]).unwrap();
        let mut buffer = bytes::BytesMut::with_capacity(PIECE_BYTES + 1);
        assert_eq!(
            ours.read_buf(&mut buffer).await.unwrap(),
            PIECE_BYTES + 1,
            "no more than there is room for"
        );
        drop(theirs);
        let mut rest = Vec::new();
        assert_eq!(ours.read_to_end(&mut rest).await.unwrap(), 2 * PIECE_BYTES - 1);
    }

    #[tokio::test]
    async fn an_answer_larger_than_the_kernel_takes_goes_out_whole() {
        let (mut ours, mut theirs) = pair();
        let all = vec![7; 16 << 20];
        let reading = tokio::task::spawn_blocking(move || {
            let mut read = Vec::new();
            theirs.read_to_end(&mut read).unwrap();
            read
        });
        ours.write_all(&all).await.unwrap();
        assert!(matches!(ours, Socket::Driven(_)));
        ours.shutdown().await.unwrap();
        assert!(reading.await.unwrap() == all);
    }

    #[tokio::test]
    async fn a_socket_comes_back_from_the_poller() {
        let (mut ours, mut theirs) = pair();
        let waited = tokio::time::timeout(std::time::Duration::from_millis(1), ours.read_u8()).await;
        assert!(waited.is_err() && matches!(ours, Socket::Driven(_)));
        let mut ours = Socket::Bare(ours.into_bare().unwrap());
        theirs.write_all(b"e").unwrap();
        assert_eq!(ours.read_u8().await.unwrap(), b'e');
        drop(theirs);
        assert_eq!(ours.read_u8().await.unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }
}
