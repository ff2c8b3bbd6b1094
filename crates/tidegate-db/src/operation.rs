//! The shape that the errors of an operation have, so that every crate writes down only what is its own.
//!
//! Owns two macros: the enum of one operation, and the way from another crate's error into a crate's own. They must not know
//! any crate: names and codes come from the caller.

/// One enum for each operation: its own failures with their message and code, and a last variant for what the whole crate shares.
///
/// ```ignore
/// tidegate_db::operation_errors! {
///     Documents(DocumentsError);
///     /// A document was not deleted.
///     DeleteError {
///         /// There is no such document.
///         NotFound = "there is no such document", ErrorCode::NotFound;
///     }
/// }
/// ```
#[macro_export]
macro_rules! operation_errors {
    ($shared:ident($inner:ty);) => {};
    (
        $shared:ident($inner:ty);
        $(#[$doc:meta])*
        $name:ident { $($(#[$vdoc:meta])* $variant:ident $(($payload:ty))? = $message:literal, $code:expr;)* }
        $($rest:tt)*
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, thiserror::Error)]
        pub enum $name {
            $($(#[$vdoc])* #[error($message)] $variant $(($payload))?,)*
            /// Reading or writing failed.
            #[error(transparent)]
            $shared(#[from] $inner),
        }

        impl $name {
            /// How this failure is told to clients.
            #[must_use]
            pub const fn code(&self) -> tidegate_types::ErrorCode {
                match self {
                    $(Self::$variant { .. } => $code,)*
                    Self::$shared(error) => error.code(),
                }
            }
        }

        impl From<$crate::DbError> for $name {
            fn from(error: $crate::DbError) -> Self {
                Self::$shared(error.into())
            }
        }

        $crate::operation_errors! { $shared($inner); $($rest)* }
    };
}

/// Errors of other crates, kept as their code and their text in a variant `{ code, detail }` of this crate's own.
///
/// ```ignore
/// tidegate_db::coded_errors!(DocumentsError::Stream from LogError, AppendError);
/// ```
#[macro_export]
macro_rules! coded_errors {
    ($own:ident :: $variant:ident from $($error:ty),+) => {$(
        impl From<$error> for $own {
            fn from(error: $error) -> Self {
                Self::$variant { code: error.code(), detail: error.to_string() }
            }
        }
    )+};
}
