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

// The aliases are the words that users search the docs for.
#[doc(alias("access key", "api key", "iam", "key pair", "login", "oauth", "profile", "project"))]
#[doc(alias("role", "rotation", "secret", "sts", "sub-account", "subaccount", "token"))]
pub mod credentials {
    #![doc = include_str!("credentials.md")]
}
#[doc(alias(
    "429",
    "backoff",
    "cancel",
    "deadline",
    "idempotent",
    "idempotency key",
    "rate limit"
))]
#[doc(alias("retries", "retry", "throttle", "throttled", "throttling", "timeout", "timeouts"))]
pub mod errors {
    #![doc = include_str!("errors.md")]
}
#[doc(alias("ca certificate", "corporate ca", "header", "http_proxy", "https_proxy", "logging"))]
#[doc(alias("log", "metrics", "mtls", "opentelemetry", "prometheus", "proxy", "raw request"))]
#[doc(alias(
    "root certificate",
    "socks",
    "sync",
    "synchronous",
    "tls",
    "tower",
    "trace",
    "tracing"
))]
pub mod middleware {
    #![doc = include_str!("middleware.md")]
}
#[doc(alias("go", "golang", "migration", "pitfalls", "porting", "python", "ucloud-sdk-go"))]
#[doc(alias("ucloud-sdk-python3"))]
pub mod migrating {
    #![doc = include_str!("migrating.md")]
}
#[doc(alias(
    "clean up",
    "cleanup",
    "delete old tags",
    "digest",
    "docker pull",
    "garbage collection"
))]
#[doc(alias("lifecycle", "limit", "list all", "offset", "page", "paginate", "paginator", "prune"))]
#[doc(alias("stream", "tag"))]
pub mod pagination {
    #![doc = include_str!("pagination.md")]
}
#[doc(alias("emulator", "fake", "fault injection", "fixture", "integration test", "localstack"))]
#[doc(alias("mock", "mocking", "offline", "stub", "unit test"))]
pub mod testing {
    #![doc = include_str!("testing.md")]
}
