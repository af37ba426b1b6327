//! Guides, each with code that runs against a local server.
//!
//! | guide | answers |
//! | --- | --- |
//! | [Errors and retries](errors) | What failed? Was it executed? Rate limits (429), timeouts, idempotency |
//! | [Credentials](credentials) | Keys, profiles, projects, sub-accounts, temporary (STS) tokens, rotation |
//! | [Testing your program](testing) | Mocks, fakes, a local server, faults, errors to order |
//! | [Pagination and clean-up](pagination) | All pages, offset and limit, complete lists, retention, deleting old tags |
//! | [Middleware and proxies](middleware) | Logging, metrics, tracing, proxies, corporate certificates, blocking code |
//! | [Migrating from Go or Python](migrating) | The official SDKs' calls beside these, and the pitfalls |

pub mod credentials {
    #![doc = include_str!("credentials.md")]
}
pub mod errors {
    #![doc = include_str!("errors.md")]
}
pub mod middleware {
    #![doc = include_str!("middleware.md")]
}
pub mod migrating {
    #![doc = include_str!("migrating.md")]
}
pub mod pagination {
    #![doc = include_str!("pagination.md")]
}
pub mod testing {
    #![doc = include_str!("testing.md")]
}
